// Hands that count: what a person does in a task, by one rule for every product.
//
// One action is a click, a key or a chord of keys, a drag, a typed word (what stands between two
// blanks, however long), or what happens beside the page (`beside`: copying from the address bar
// is two, choosing it and copying it). Looking, moving the mouse and waiting are none; logging in
// is counted apart, since it is done once a day and not once a task.

export class Hands {
  constructor(page) {
    this.page = page;
    this.done = [];
    this.began = Date.now();
  }

  async click(locator, where = {}) {
    this.done.push("click");
    await locator.click(where);
  }

  async press(chord) {
    this.done.push(chord);
    await this.page.keyboard.press(chord);
  }

  async type(text) {
    for (const word of text.trim().split(/\s+/)) this.done.push(`type ${word}`);
    await this.page.keyboard.type(text);
  }

  /** From one corner to the other, in parts of an element's width and height. */
  async drag(locator, from, to) {
    this.done.push("drag");
    const box = await locator.boundingBox();
    const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
    const [x, y] = at(from);
    const [toX, toY] = at(to);
    await this.page.mouse.move(x, y);
    await this.page.mouse.down();
    await this.page.mouse.move((x + toX) / 2, (y + toY) / 2, { steps: 4 });
    await this.page.mouse.move(toX, toY, { steps: 4 });
    await this.page.mouse.up();
  }

  beside(...what) {
    this.done.push(...what);
  }

  /** What a task took: its actions in order, and its seconds. */
  took() {
    return { actions: this.done, seconds: (Date.now() - this.began) / 1000 };
  }
}

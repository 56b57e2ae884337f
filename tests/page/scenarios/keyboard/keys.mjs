// A person with a keyboard alone: goes from place to place with Tab, and looks at each for a focus
// that can be seen. Nothing of the scripts beside this one clicks, fills or hovers.

import { openBrowser, openPage, pictured } from "../../opened.mjs";

/** What has the focus: its name and role, whether one sees that, whether it is on the screen. */
function stop() {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const label = element.labels?.[0]?.innerText;
  const named = element.getAttribute("aria-label") || label || element.innerText || element.title || element.placeholder || "";
  const name = named.trim().replace(/\s+/g, " ");
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = "var(--focus)";
  const focus = getComputedStyle(probe).color;
  probe.remove();
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  let seen = outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
  // editors show it at the border of their box
  for (let box = element, far = 0; box && far < 6 && !seen; box = box.parentElement, far += 1) {
    const { borderTopColor, borderTopWidth } = getComputedStyle(box);
    seen = borderTopColor === focus && parseFloat(borderTopWidth) > 0;
  }
  const { top, bottom, left, right } = element.getBoundingClientRect();
  const there = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
  return { name, role: element.getAttribute("role") ?? element.tagName.toLowerCase(), seen: seen && there };
}

export class Keys {
  constructor(page) {
    this.page = page;
    /** Places whose focus cannot be seen. */
    this.unseen = [];
  }

  /** What has the focus, by its name; "" where nothing has. */
  async here() {
    return (await this.page.evaluate(stop))?.name ?? "";
  }

  /** Go on until a place has the name; fails where none has it within so many steps. */
  async to(name, { back = false, most = 160 } = {}) {
    const passed = [];
    for (let step = 0; step < most; step += 1) {
      await this.page.keyboard.press(back ? "Shift+Tab" : "Tab");
      const one = await this.page.evaluate(stop);
      if (!one) continue; // the end of the page: it begins anew
      if (!one.seen) this.unseen.push(one.name.slice(0, 80));
      if (typeof name === "string" ? one.name === name : name.test(one.name)) return one;
      passed.push(one.name.slice(0, 40));
    }
    throw new Error(`${name} was not reached: ${passed.join(" | ")}`);
  }

  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** As a person types: completion has its time. */
  async type(text) {
    await this.page.keyboard.type(text, { delay: 15 });
  }

  /** Wait until the place with this name has the focus. */
  async has(name) {
    const test = ([source, flags]) => {
      const one = document.activeElement;
      const named = one?.getAttribute("aria-label") || one?.labels?.[0]?.innerText || one?.innerText || one?.title || "";
      return one !== document.body && new RegExp(source, flags).test(named.trim().replace(/\s+/g, " "));
    };
    await this.page.waitForFunction(test, [name.source, name.flags]);
  }
}

/** Run a script of keys: `work(keys, page, origin, seen)` notes in `seen` what the test asserts. */
export async function withKeys(work) {
  const [, , program, address, key, folder] = process.argv;
  const { origin } = new URL(address);
  const opened = await openBrowser(program);
  const page = await openPage(opened, origin);
  page.setDefaultTimeout(20_000);
  const keys = new Keys(page);
  const seen = {};
  await page.goto(`${origin}/ui/`);
  await keys.has(/^Key$/);
  await keys.type(key);
  await keys.press("Enter");
  await page.getByRole("heading", { name: "Datasets" }).waitFor();
  await pictured(page, folder, () => work(keys, page, origin, seen));
  await opened.browser.close();
  console.log(JSON.stringify({ seen, unseen: keys.unseen, ...opened.seen }));
}

/** The address of a question to the shop. */
export function question(ask, more = "") {
  return `/ui/query/shop?ask=${encodeURIComponent(ask)}${more}`;
}

/** A part of the address of a page. */
export function part(page, name) {
  return new URL(page.url()).searchParams.get(name);
}

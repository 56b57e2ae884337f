// What is done in graphs and typed beside them: node gestures.mjs BROWSER ADDRESS KEY

import { logIn, openBrowser, openPage } from "../opened.mjs";

const [, , program, address, key] = process.argv;
const { origin } = new URL(address);
const opened = await openBrowser(program);
const page = await openPage(opened, origin);
await page.goto(`${origin}/ui/`);
await logIn(page, key);

const asked = (url = page.url()) => new URL(url).searchParams.get("ask") ?? "";
const answered = (test) => page.waitForURL((url) => test.test(asked(url)) && url.searchParams.has("result"));
const plot = (name) => page.getByRole("application", { name }).locator(".u-over");
const open = async (ask, more = "") => {
  await page.goto(`${origin}/ui/query/shop?ask=${encodeURIComponent(ask)}${more}`);
  await answered(/./);
  await page.locator(".u-over").first().waitFor();
};

// A group's row, a press on a line, and a drag, one after the other.
await open("COUNT, P99(duration_ms) GROUP BY build.id SINCE yesterday");
await page.getByRole("region", { name: "Groups" }).getByText("b1040").click();
await page.getByRole("menuitem", { name: "Only this" }).click();
await answered(/b1040/);
const only = asked();
await page.getByRole("region", { name: "Groups" }).getByText("b1041").waitFor({ state: "detached" });
const line = plot(/^COUNT over time, 1 groups/);
await line.waitFor();
await line.scrollIntoViewIfNeeded();
const { x, y, width, height } = await line.boundingBox();
await page.mouse.click(x + width * 0.97, y + height / 2);
await page.getByRole("menuitem", { name: "Zoom to this time" }).waitFor();
const pressed = asked();
await page.keyboard.press("Escape");
await page.mouse.move(x + width * 0.7, y + 40);
await page.mouse.down();
await page.mouse.move(x + width * 0.95, y + 50, { steps: 4 });
await page.mouse.up();
await answered(/UNTIL/);
const zoomed = asked();

// The cell of a heatmap, under the pointer and by keys.
await open("HEATMAP(duration_ms) LAST 2h");
const cells = plot(/^HEATMAP/);
await cells.scrollIntoViewIfNeeded();
const key0 = await page.getByRole("figure").first().innerText();
await cells.hover({ position: { x: 300, y: 150 } });
await page.locator("figcaption").getByText(/^[\d,]+ events?$/).waitFor();
const hovered = await page.locator("figcaption").first().innerText();
await page.mouse.move(5, 5);
await page.getByRole("application", { name: /^HEATMAP/ }).focus();
for (let turn = 0; turn < 3; turn += 1) await page.keyboard.press("ArrowLeft");
await page.getByRole("status").filter({ hasText: "event" }).first().waitFor({ state: "attached" });
const said = await page.getByRole("status").filter({ hasText: "event" }).first().textContent();
const read = await page.locator("figcaption").first().innerText();

// What is typed beside the graphs.
const options = page.getByRole("listbox", { name: "Completions" }).getByRole("option");
const offered = async (field, text, wanted) => {
  await field.click();
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text, { delay: 20 });
  await options.filter({ hasText: wanted }).first().waitFor();
  const found = await options.allInnerTexts();
  await page.keyboard.press("Escape");
  return found;
};
await open("COUNT SINCE yesterday", "&tab=differs");
const selected = page.getByRole("textbox", { name: "selected" });
const typed = {
  field: await offered(selected, "build", "build.id"),
  operator: await offered(selected, "build.id ", "CONTAINS"),
  value: await offered(selected, "build.id = ", /^"?b1041"?$/),
};
await selected.click();
await page.keyboard.press("Control+A");
await page.keyboard.type("build.id = b1041");
await page.keyboard.press("Escape");
await page.keyboard.press("Enter");
await page.waitForURL(/selection=/);
await page.getByRole("button", { name: "Only these" }).click();
await answered(/b1041/);
const these = asked();
await page.goto(`${origin}/ui/traces`);
const find = page.getByRole("textbox", { name: "conditions and time range" });
const traces = {
  field: await offered(find, "WHERE root.na", "root.name"),
  value: await offered(find, "WHERE root.name = ", /^"?checkout"?$/),
  clause: await offered(find, "WHERE name = checkout ", "LAST"),
};
await opened.browser.close();
console.log(JSON.stringify({ only, pressed, zoomed, key: key0, hovered, said, read, typed, these, traces, ...opened.seen }));

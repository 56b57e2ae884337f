// What is drawn of much: node sizes.mjs BROWSER ADDRESS KEY WIDE LARGE SPANS
// WIDE: a dataset of thousands of fields; LARGE: the id of a trace of SPANS spans.

import { logIn, openBrowser, openPage } from "../opened.mjs";

const [, , program, address, key, wide, large, spans] = process.argv;
const { origin } = new URL(address);
const opened = await openBrowser(program);
const page = await openPage(opened, origin);
const asked = [];
page.on("request", (request) => {
  const { pathname } = new URL(request.url());
  if (!pathname.startsWith("/ui/")) asked.push(`${request.method()} ${pathname}`);
});
await page.goto(`${origin}/ui/`);
await logIn(page, key);

await page.goto(`${origin}/ui/fields/${wide}`);
await page.getByText("field_0000").first().waitFor();
const fields = { elements: await page.locator("main *").count(), text: (await page.locator("main").innerText()).slice(0, 600) };
await page.getByRole("searchbox").or(page.getByLabel(/search/i)).first().click();
await page.keyboard.type("field_1987");
await page.getByText("field_1987").first().waitFor();
await page.waitForFunction(() => !document.querySelector("main")?.innerText.includes("field_0000"));
fields.found = (await page.locator("main").innerText()).includes("field_1987");

await page.goto(`${origin}/ui/query/${wide}?ask=${encodeURIComponent("COUNT LAST 2h")}`);
await page.getByText("complete to").first().waitFor();
await page.keyboard.press("g");
await page.keyboard.type("field_19");
const offered = page.getByRole("listbox", { name: "Completions" }).getByRole("option");
await offered.filter({ hasText: "field_19" }).first().waitFor();
const completion = { offered: await offered.count() };
await page.keyboard.type("87");
await offered.filter({ hasText: "field_1987" }).first().waitFor();
completion.narrowed = await offered.allInnerTexts();
await page.keyboard.press("Escape");

asked.length = 0;
await page.goto(`${origin}/ui/trace/${large}`);
await page.getByText(spans).first().waitFor();
const tree = page.getByRole("tree");
const rows = page.getByRole("treeitem");
await rows.first().waitFor();
const trace = { asked: asked.filter((one) => one.includes("trace")), rows: [await rows.count()] };
for (let turn = 0; turn < 12; turn += 1) {
  await tree.hover();
  await page.mouse.wheel(0, 6_000);
  await page.waitForTimeout(60);
  trace.rows.push(await rows.count());
}
trace.elements = await page.locator("main *").count();
await tree.focus();
await page.keyboard.press("End");
await page.waitForURL(/span=/);
trace.last = await page.locator("[role=treeitem][aria-selected=true]").innerText();
trace.askedAfter = asked.filter((one) => one.includes("trace"));
await opened.browser.close();
console.log(JSON.stringify({ fields, completion, trace, ...opened.seen }));

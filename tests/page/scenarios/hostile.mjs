// Odd names and values in every view: node hostile.mjs BROWSER ADDRESS KEY FOLDER VIEWS SHOWN
// VIEWS: a JSON list of {name, path, wait}; SHOWN: texts that may only ever be text.

import { tooWide } from "../looked.mjs";
import { logIn, openBrowser, openPage } from "../opened.mjs";

const [, , program, address, key, folder, views, texts] = process.argv;
const { origin } = new URL(address);
const opened = await openBrowser(program);
const page = await openPage(opened, origin);
await page.goto(`${origin}/ui/`);
await logIn(page, key);
const found = {};

for (const { name, path, wait } of JSON.parse(views)) {
  await page.goto(origin + path);
  await page.getByText(wait).filter({ visible: true }).first().waitFor();
  await page.waitForLoadState("networkidle");
  if (folder) await page.screenshot({ path: `${folder}/hostile ${name}.png` });
  const text = await page.locator("body").evaluate((body) => body.textContent + [...body.querySelectorAll("input, textarea")].map((one) => one.value).join(" "));
  found[name] = {
    shown: JSON.parse(texts).filter((one) => text.includes(one)),
    // What an event's markup would have made.
    made: await page.locator("main img[src='x'], main script, main i[onclick]").count(),
    injected: await page.evaluate(() => "injected" in globalThis),
    wider: await tooWide(page),
    longest: Math.max(...(await page.locator("main *").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height)))),
  };
}
await opened.browser.close();
console.log(JSON.stringify({ found, ...opened.seen }));

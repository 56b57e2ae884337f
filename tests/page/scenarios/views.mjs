// Every view in light and dark, wide and narrow: node views.mjs BROWSER ADDRESS KEY FOLDER VIEWS
// VIEWS: a JSON list of {name, path, wait, keys}.

import { axed, look, tooWide } from "../looked.mjs";
import { logIn, openBrowser, openPage } from "../opened.mjs";

const [, , program, address, key, folder, views] = process.argv;
const { origin } = new URL(address);
const opened = await openBrowser(program);
const first = await openPage(opened, origin);
await first.goto(`${origin}/ui/`);
await logIn(first, key);
const storageState = await first.context().storageState();
const found = [];

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 390]) {
    const viewport = { width, height: 900 };
    const page = await openPage(opened, origin, { bypassCSP: true, colorScheme, viewport, storageState });
    for (const view of JSON.parse(views)) {
      const where = `${view.name} ${colorScheme} ${width}`;
      try {
        await look(page, origin, view, { folder, suffix: `-${colorScheme}-${width}` });
        found.push({ where, width, wider: await tooWide(page), axe: await axed(page) });
      } catch (error) {
        await page.screenshot({ path: `${folder}/failed ${where}.png` });
        found.push({ where, width, wider: 0, axe: [], failed: String(error).slice(0, 300) });
      }
    }
    await page.context().close();
  }
}
await opened.browser.close();
console.log(JSON.stringify({ found, ...opened.seen }));

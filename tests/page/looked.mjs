// Looks at views as a person does, and as axe does: a picture of each, what is wider than the
// screen, and what axe finds serious. The context has to be opened with `bypassCSP`: the page's own
// policy forbids what axe does.

import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const AXE = require.resolve("axe-core/axe.min.js");

/** Show an address and what is done there; then a picture, if there is a folder for it. */
export async function look(page, origin, { name, path, wait, keys = [] }, { folder = "", suffix = "" } = {}) {
  await page.goto(origin + path);
  await page.getByText(wait).filter({ visible: true }).first().waitFor();
  for (const key of keys) await page.keyboard.press(key);
  await page.waitForLoadState("networkidle");
  if (folder) await page.screenshot({ path: `${folder}/${name}${suffix}.png`, fullPage: true });
}

/** What axe finds, as `rule: the first element`; only what is serious or critical. */
export async function axed(page) {
  await page.addScriptTag({ path: AXE });
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations
      .filter((one) => one.impact === "serious" || one.impact === "critical")
      .map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ").slice(0, 400)}`);
  });
}

/** By how many pixels the page is wider than the screen. */
export async function tooWide(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

// The core loop in a real browser: node core_loop.mjs BROWSER LINK FOLDER
// Prints what was seen as JSON; screenshots go to FOLDER.

import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core/axe.min.js");
const [, , program, link, folder] = process.argv;
const origin = new URL(link).origin;
const seen = { views: {}, axe: {}, console: [], foreign: [], drawn: {} };

const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, bypassCSP: false });
const page = await context.newPage();
page.setDefaultTimeout(60_000);
page.on("pageerror", (error) => seen.console.push(String(error)));
page.on("request", (request) => {
  const url = new URL(request.url());
  if (url.origin !== origin && url.protocol !== "data:" && url.protocol !== "blob:") seen.foreign.push(url.href);
});

// In a tab that may run it: the page's own policy forbids what axe does.
async function axed(name) {
  const other = await browser.newContext({ bypassCSP: true, viewport: { width: 1280, height: 900 }, storageState: await context.storageState() });
  const tab = await other.newPage();
  await tab.goto(page.url());
  await tab.waitForLoadState("networkidle");
  await tab.addScriptTag({ path: axe });
  seen.axe[name] = await tab.evaluate(async () => {
    const result = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return result.violations
      .filter((one) => one.impact === "serious" || one.impact === "critical")
      .map((one) => `${one.id}: ${one.nodes[0]?.html ?? ""}`);
  });
  await other.close();
}

async function done(name) {
  await page.screenshot({ path: `${folder}/${name}.png` });
  await axed(name);
}

await page.goto(link);
await page.getByRole("link", { name: "shop", exact: true }).waitFor();
seen.views.start = { address: page.url(), datasets: await page.locator("table.datasets tbody tr").count() };
await done("start");

await page.getByRole("link", { name: "shop", exact: true }).click();
await page.getByRole("textbox", { name: "The question as text" }).click();
await page.keyboard.press("Control+A");
await page.keyboard.type("HEATMAP(duration_ms), COUNT GROUP BY build LAST 2h");
await page.keyboard.press("Escape");
await page.keyboard.press("Control+Enter");
await page.waitForURL(/result=/);
await page.getByText("b1041").first().waitFor();
seen.views.query = {
  asked: new URL(page.url()).searchParams.get("ask"),
  text: await page.locator("main").innerText(),
  canvases: await page.locator("canvas").count(),
};
await done("query");

await page.goto(`${origin}/ui/query/shop?ask=${encodeURIComponent("COUNT LAST 2h")}&tab=differs&selection=${encodeURIComponent(JSON.stringify([{ column: "duration_ms", op: ">", value: 500 }]))}`);
await page.getByText("b1041").first().waitFor();
seen.views.differs = { text: await page.locator("main").innerText() };
await done("differs");

await page.goto(`${origin}/ui/query/shop?ask=${encodeURIComponent("COUNT WHERE error = true LAST 2h")}&tab=events`);
await page.getByText("frame_too_large").first().waitFor();
seen.views.events = { text: await page.locator("main").innerText() };
await done("events");

await page.goto(`${origin}/ui/fields/shop`);
await page.getByText("duration_ms").first().waitFor();
await page.getByRole("button", { name: "describe duration_ms" }).click();
await page.getByLabel("Description of duration_ms").fill("what a request took");
await page.keyboard.press("Enter");
await page.getByText("what a request took").waitFor();
seen.views.fields = { text: await page.locator("main").innerText() };
await done("fields");

await page.goto(`${origin}/ui/traces?ask=${encodeURIComponent("WHERE root.name = checkout LAST 2h")}`);
await page.getByText("checkout").first().waitFor();
seen.views.traces = { text: await page.locator("main").innerText() };
await done("traces");

await page.goto(`${origin}/ui/trace/${"ab".repeat(16)}`);
await page.getByText("step 1", { exact: false }).first().waitFor();
seen.views.trace = { text: await page.locator("main").innerText() };
seen.drawn.trace = await page.getByRole("treeitem").count();
await done("trace");

await page.goto(`${origin}/ui/trace/${"09e2".repeat(8)}`);
await page.getByText("create instances").first().waitFor();
seen.views.open = { text: await page.locator("main").innerText() };
await done("open");

await page.goto(`${origin}/ui/compare/${"09e2".repeat(8)}/${"c0de".repeat(8)}`);
await page.getByText("register").first().waitFor();
seen.views.compare = { text: await page.locator("main").innerText() };
await done("compare");

seen.views.hostile = { injected: await page.evaluate(() => "injected" in globalThis) };
await page.getByRole("button", { name: "Log out" }).click();
await page.getByLabel("Key").waitFor();
await page.getByLabel("Key").fill("no such key");
await page.getByRole("button", { name: "Log in" }).click();
seen.views.login = { text: await page.getByRole("alert").innerText() };
await browser.close();
console.log(JSON.stringify(seen));

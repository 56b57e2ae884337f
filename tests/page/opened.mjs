// A browser with the page in it, and what must never happen there: a request to another host, an
// error that nothing caught.

import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { chromium } = require("playwright-core");

/** Open a browser; `seen` collects the requests to others and the errors of every page in it. */
export async function openBrowser(program) {
  const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
  return { browser, seen: { foreign: [], errors: [] } };
}

/** A context of its own, as of another person, with one page. */
export async function openPage({ browser, seen }, origin, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("request", (request) => {
    const url = new URL(request.url());
    const here = url.origin === origin || url.protocol === "data:" || url.protocol === "blob:";
    if (!here) seen.foreign.push(url.href);
  });
  return page;
}

/** Log in with a key, on whatever address is open. */
export async function logIn(page, key) {
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Log out" }).waitFor();
}

/** Do the work; when it fails, keep a picture of what the page showed. */
export async function pictured(page, folder, work) {
  try {
    return await work();
  } catch (error) {
    if (folder) await page.screenshot({ path: `${folder}/failed.png` });
    throw error;
  }
}

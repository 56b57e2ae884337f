// First event to graph: an environment without one, the lines that the page shows are sent, and
// the page goes on from there by itself. node first_event.mjs BROWSER LINK KEY

import { Hands } from "../counted.mjs";
import { openBrowser, openPage } from "../opened.mjs";

const [, , program, link, key] = process.argv;
const { origin } = new URL(link);
const opened = await openBrowser(program);
const page = await openPage(opened, origin);
await page.goto(link);
await page.getByRole("heading", { name: "Send the first event" }).waitFor();

const hands = new Hands(page);
await hands.click(page.getByRole("button", { name: /make a key/i }));
await page.getByText("is shown only now").waitFor();
await hands.click(page.getByRole("button", { name: /copy .*curl/i }));
const copied = await page.evaluate(() => navigator.clipboard.readText());
const made = /X-Honeycomb-Team: (\w+)"/.exec(copied)[1];
if (made === "KEY") hands.beside("put in the key");
const [address] = /http:\/\/\S+/.exec(copied);
const [, body] = /-d '([^']+)'/.exec(copied);
await fetch(address, { method: "POST", headers: { "X-Honeycomb-Team": made }, body });
await hands.click(page.getByRole("link", { name: "hello", exact: true }));
await page.getByRole("application", { name: "COUNT over time" }).locator("canvas").waitFor();
const facts = {
  graph: await page.getByRole("application", { name: "COUNT over time" }).count(),
  groups: await page.getByRole("region", { name: "Groups" }).innerText(),
  keyShown: (await page.content()).includes(key) || (await page.content()).includes(made),
  kept: await page.evaluate((text) => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]).includes(text), made),
};
const { actions, seconds } = hands.took();
await opened.browser.close();
console.log(JSON.stringify({ tasks: { "first event to graph": { actions, seconds, facts } }, ...opened.seen }));

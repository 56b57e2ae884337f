// What is around the questions, in a real browser: node home.mjs BROWSER URL KEY READER
// Last it prints what was seen, as JSON.

import { askFor } from "../asked.mjs";
import { logIn, openBrowser, openPage } from "../opened.mjs";

const [, , program, origin, key, reader] = process.argv;
const send = (dataset, data) =>
  fetch(`${origin}/1/events/${dataset}`, { method: "POST", headers: { "X-Honeycomb-Team": key }, body: JSON.stringify(data) });
const ask = (dataset, text, more = "") => `${origin}/ui/query/${dataset}?ask=${encodeURIComponent(text)}${more}`;
const opened = await openBrowser(program);
const seen = {};
const page = await openPage(opened, origin);
page.setDefaultTimeout(120_000); // a server that begins anew reads what it had
page.on("console", (message) => /Content Security Policy/.test(message.text()) && opened.seen.errors.push(message.text()));
const run = page.locator("button.ask-run", { hasText: "Run" });
const main = () => page.locator("main").innerText();
const asked = () => new URL(page.url()).searchParams.get("ask");

// --- the API's description, without a key
await page.goto(`${origin}/docs#op-createQueryResult`);
await page.locator("#op-createQueryResult").waitFor();
seen.docs = { operations: await page.locator(".docs-main .docs-operation[id^=op-]").count(), curl: await page.locator("#op-rows pre").first().innerText() };
await page.getByLabel("Search").fill("after_ns tail");
seen.docs.found = await page.locator(".docs-main .docs-operation[id^=op-] h3").allInnerTexts();

// --- log in leads to the address that was opened; long numbers keep their digits
await page.goto(ask("exact", "COUNT, MAX(id) GROUP BY id LAST 2h"));
await logIn(page, key);
await page.getByRole("button", { name: "9007199254740993" }).click();
await page.getByRole("menuitem", { name: "What differs" }).click();
await page.waitForURL(/selection=/);
seen.exact = { selection: new URL(page.url()).searchParams.get("selection") };
await page.goBack();
await page.getByRole("button", { name: "9007199254740993" }).click();
await page.getByRole("menuitem", { name: "Only this" }).click();
await page.waitForURL(/WHERE.*result=/);
await page.getByText("total", { exact: true }).waitFor();
seen.exact.group = asked();
seen.exact.rows = await page.getByRole("region", { name: "Groups" }).innerText();
await page.goto(ask("exact", "COUNT LAST 2h", "&tab=events"));
await page.getByRole("region", { name: "Events" }).locator("tbody button[aria-expanded]").first().click();
const one = page.getByRole("region", { name: "One event" });
seen.exact.event = await one.innerText();
await one.getByRole("row").filter({ hasText: "-9223372036854775807" }).getByRole("button", { name: "only" }).click();
await page.waitForURL(/WHERE/);
seen.exact.value = asked();
await page.goto(`${origin}/ui/fields/exact`);
await page.getByRole("button", { name: "9,007,199,254,740,993" }).click();
await page.waitForURL(/WHERE/);
seen.exact.field = asked();

// --- events are followed; the list waits while one reads, and goes on
await page.goto(ask("shop", 'COUNT WHERE SEARCH "wanted" LAST 2h', "&tab=events"));
await page.getByLabel("follow new ones").check();
await page.getByText("Nothing yet").waitFor();
await send("shop", { message: "not this" });
await send("shop", { message: "wanted 1" });
const events = page.getByRole("region", { name: "Events" });
await events.getByText("wanted 1").waitFor();
await events.locator("tbody button[aria-expanded]").first().click();
await send("shop", { message: "wanted 2" });
await page.getByRole("button", { name: "1 new event" }).waitFor();
seen.follow = { held: await events.innerText() };
await page.getByRole("button", { name: "1 new event" }).click();
await events.getByText("wanted 2").waitFor();
seen.follow.events = await events.innerText();

// --- the server dies and comes back
await askFor("stop");
await page.getByText("Not followed now").waitFor();
await run.click();
await page.getByText("cannot be reached since").waitFor();
seen.away = { kept: await events.getByText("wanted 1").count(), graphs: await page.locator("canvas").count() };
await askFor("start");
await page.getByText("cannot be reached since").waitFor({ state: "detached" });
await run.waitFor();
await page.getByText("Not followed from").waitFor();
await send("shop", { message: "wanted 3" });
await events.getByText("wanted 3").waitFor();
seen.away.events = await events.innerText();
seen.away.alerts = await page.getByRole("alert").allInnerTexts();

// --- what was asked is found again
await page.goto(`${origin}/ui/`);
await page.getByRole("heading", { name: "Datasets" }).waitFor();
seen.start = await main();
await page.keyboard.press("h");
await page.getByRole("heading", { name: "History" }).waitFor();
await page.getByLabel("search").fill("9007199254740993");
const found = page.getByRole("link", { name: "COUNT, MAX(id) WHERE id = 9007199254740993 GROUP BY id LAST 2h", exact: true });
await found.waitFor();
await found.click();
await page.waitForURL(/query\/exact/);
seen.history = asked();

// --- a session that ends; a key that may only read
await page.goto(`${origin}/ui/fields/wide?search=field`);
await page.getByText("field.0000", { exact: true }).waitFor();
seen.fields = await page.locator("main tbody tr").count();
await page.context().clearCookies();
await page.getByRole("button", { name: "More fields" }).click();
await page.getByText("The session ended").waitFor();
await logIn(page, reader);
await page.getByText("field.0000", { exact: true }).waitFor();
seen.ended = page.url();
await page.getByRole("button", { name: "describe field.0000" }).click();
await page.getByLabel("Description of field.0000").fill("what it counts");
await page.keyboard.press("Enter");
await page.getByRole("alert").waitFor();
seen.refused = [await page.getByRole("alert").innerText(), await page.getByLabel("Description of field.0000").inputValue()];
await opened.browser.close();
console.log(JSON.stringify({ ...seen, ...opened.seen }));

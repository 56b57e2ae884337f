// Events with keys alone; which page and which event are in the address.

import { part, question, withKeys } from "./keys.mjs";

await withKeys(async (keys, page, origin, seen) => {
  await page.goto(origin + question("COUNT LAST 2h", "&tab=events"));
  const events = page.getByRole("region", { name: "Events", exact: true });
  const one = page.getByRole("region", { name: "One event" });
  const whole = async () => (await one.locator("p .mono").innerText()).trim();
  await events.locator("tbody button[aria-expanded]").first().waitFor();

  // --- arrows go from event to event, Enter opens one, Esc closes it and its row has the focus
  await keys.to(/^\d\d:\d\d:\d\d$/);
  await keys.press("ArrowDown", "ArrowDown", "Enter");
  await one.waitFor();
  const row = await keys.here();
  seen.first = [part(page, "event"), await whole()];
  await keys.to("Older ›");
  await keys.press("Enter");
  await page.waitForFunction((old) => new URL(location.href).searchParams.get("event") !== old, seen.first[0]);
  await keys.has(/^Older ›$/);
  seen.next = await whole();
  await keys.press("Escape");
  await one.waitFor({ state: "detached" });
  seen.closed = [row, await keys.here()];

  // --- the next page, and on from its last event to the first one of the page after it
  await keys.to("Older events ›");
  const paged = page.waitForResponse((answer) => /bw\/1\/rows/.test(answer.url()));
  await keys.press("Enter");
  await page.waitForURL(/page=/);
  await paged;
  await page.waitForLoadState("networkidle");
  await keys.to(/^\d\d:\d\d:\d\d$/, { back: true });
  await keys.press("End", "Enter");
  await one.waitFor();
  const before = part(page, "page");
  seen.last = await whole();
  await keys.to("Older ›");
  await keys.press("Enter");
  await page.waitForURL((url) => url.searchParams.get("page") !== before && url.searchParams.has("event"));
  await one.waitFor();
  await keys.has(/^(Older ›|‹ Newer)$/);
  seen.crossed = await whole();
  const address = page.url();

  // --- back and forward, and the address in another window
  await page.goBack();
  await page.waitForURL((url) => url.searchParams.get("page") === before);
  await one.waitFor();
  seen.back = await whole();
  await page.goForward();
  await page.waitForURL(address);
  await one.waitFor();
  seen.forward = await whole();
  const rows = await events.locator("tbody button[aria-expanded]").allInnerTexts();
  const other = await page.context().newPage();
  await other.goto(address);
  const there = other.getByRole("region", { name: "One event" });
  await there.waitFor();
  seen.link = (await there.locator("p .mono").innerText()).trim();
  const shown = other.getByRole("region", { name: "Events", exact: true }).locator("tbody button[aria-expanded]");
  seen.same = JSON.stringify(await shown.allInnerTexts()) === JSON.stringify(rows);
  await other.close();

  // --- from an event to a question about a value; following
  await keys.press("Escape");
  await keys.to("follow new ones", { back: true });
  await keys.press("Space");
  await page.waitForURL(/follow=1/);
  const stored = page.waitForResponse((answer) => /bw\/1\/rows/.test(answer.url()));
  await keys.press("Space");
  await page.waitForURL((url) => !url.searchParams.has("follow"));
  await stored;
  await keys.to(/^\d\d:\d\d:\d\d$/);
  await keys.press("Enter");
  await one.waitFor();
  await keys.to("only");
  await keys.press("Enter");
  await page.waitForURL((url) => /WHERE/.test(url.searchParams.get("ask") ?? ""));
  seen.asked = [part(page, "ask"), part(page, "page"), part(page, "event")];
});

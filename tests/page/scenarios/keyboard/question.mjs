// The question with keys alone: the start, rows and text, the time, Find, History, the list of keys.

import { part, withKeys } from "./keys.mjs";

await withKeys(async (keys, page, origin, seen) => {
  await keys.to("To the content");
  seen.skip = await page.locator("a.skip").evaluate((one) => one.getBoundingClientRect().width);
  await keys.to("shop");
  await keys.press("Enter");
  await page.waitForURL(/query\/shop/);
  await page.getByText("complete to").first().waitFor();

  // --- rows: letters lead to them, what is offered is taken with Tab, Enter ends a piece
  await keys.press("v");
  await keys.has(/Add to visualize/);
  await keys.type("MAX(duration_ms)");
  await keys.press("Enter");
  await page.getByRole("button", { name: "Remove MAX(duration_ms)" }).waitFor();
  await keys.has(/Add to visualize/);
  await keys.press("Escape", "g");
  await keys.has(/Add to group by/);
  await keys.type("region");
  await keys.press("Enter");
  await page.getByRole("button", { name: "Remove region" }).waitFor();
  await keys.has(/Add to group by/);
  await keys.press("Escape", "w");
  await keys.has(/Add to where/);
  await keys.type("duration_ms > 1");
  await keys.press("Enter");
  await page.getByRole("button", { name: "Remove duration_ms > 1" }).waitFor();
  await keys.has(/Add to where/);
  await keys.press("Escape", "Control+Enter");
  await page.waitForURL((url) => /GROUP BY region/.test(url.searchParams.get("ask") ?? "") && url.searchParams.has("result"));
  seen.rows = part(page, "ask");

  // --- a piece is changed, and has the focus again; it is taken away
  await keys.press("v");
  await keys.to("duration_ms > 1");
  await keys.press("Enter", "End");
  await keys.type("2");
  await keys.press("Enter");
  await keys.has(/^duration_ms > 12$/);
  seen.changed = await keys.here();
  await keys.press("Delete");
  await page.getByRole("button", { name: "Remove duration_ms > 12" }).waitFor({ state: "detached" });
  await keys.has(/Add to where/);
  await keys.press("Escape");

  // --- what is chosen once, and the dataset
  await keys.to(/^limit/);
  await keys.type("20");
  await page.waitForFunction(() => /LIMIT 20/.test(document.querySelector(".ask-text")?.textContent ?? ""));
  seen.limit = true;

  // --- the time
  await keys.press("Escape", "t");
  await keys.to("30 minutes");
  await keys.press("Escape");
  await page.getByRole("form", { name: "Time range" }).waitFor({ state: "detached" });
  await keys.press("t");
  await keys.to("30 minutes");
  await keys.press("Enter");
  await page.waitForURL((url) => /LAST 30m/.test(url.searchParams.get("ask") ?? ""));
  seen.time = part(page, "ask");

  // --- Find, History, Keys: each closes with Esc, and the focus goes back
  for (const name of ["Find", "History", "Keys"]) {
    const button = new RegExp(`^${name}`);
    await keys.to(button);
    await keys.press("Enter");
    await page.getByRole("region", { name: button }).waitFor();
    await keys.press("Escape");
    await page.getByRole("region", { name: button }).waitFor({ state: "detached" });
    await keys.has(button);
  }
  await keys.press("/");
  await keys.type("eu");
  await page.getByRole("region", { name: /^Find/ }).getByRole("button", { name: "eu", exact: true }).waitFor();
  await keys.to("eu");
  await keys.press("Enter");
  await page.waitForURL((url) => /region = "?eu/.test(url.searchParams.get("ask") ?? ""));
  seen.found = part(page, "ask");

  // --- the text form: Tab leaves it, Ctrl-Enter asks, undo
  await keys.to("The question as text");
  await keys.press("Control+A");
  await keys.type("COUNT GROUP BY region LAST 1h");
  await keys.press("Escape");
  await keys.press("Tab");
  await keys.has(/^text$/);
  await keys.press("Control+Enter");
  await page.waitForURL((url) => url.searchParams.get("ask") === "COUNT GROUP BY region LAST 1h" && url.searchParams.has("result"));
  seen.text = part(page, "ask");
  await keys.press("a");
  await keys.has(/COUNT over time/);
  seen.answer = await keys.here();
});

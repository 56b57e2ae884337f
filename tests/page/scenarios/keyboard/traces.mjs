// Traces with keys alone: found, compared, opened; spans, their fields, the mini-map.

import { withKeys } from "./keys.mjs";

await withKeys(async (keys, page, origin, seen) => {
  await page.goto(`${origin}/ui/traces`);
  await page.getByRole("textbox", { name: "conditions and time range" }).waitFor();
  await keys.to("conditions and time range");
  await keys.press("Control+A");
  await keys.type("WHERE root.name = checkout LAST 2h");
  await keys.press("Escape", "Enter");
  await page.waitForURL(/ask=/);
  await page.getByRole("link", { name: "checkout" }).first().waitFor();

  // --- arrows go from trace to trace, Space chooses two, which are compared
  await keys.to("checkout");
  await keys.to(/^compare /, { back: true });
  await keys.press("Space", "Tab", "ArrowDown");
  await keys.to(/^compare /, { back: true });
  await keys.press("Space");
  await keys.to("Compare the two chosen", { back: true });
  await keys.press("Enter");
  await page.waitForURL(/compare\//);
  await page.getByRole("region", { name: "the spans of both traces, row by row" }).waitFor();
  await keys.to("Swap");
  const before = page.url();
  await keys.press("Enter");
  await page.waitForURL((url) => url.href !== before);
  // until the swapped comparison is read, the one before it stays, with its links
  await page.getByRole("heading", { name: /^This trace 600d/ }).waitFor();
  await keys.to("the spans of both traces, row by row");
  await keys.to(/^checkout/);
  await keys.press("Enter");
  await page.waitForURL(/trace\//);
  await page.getByRole("tree", { name: "spans" }).waitFor();

  // --- the tree: arrows choose and fold, the panel follows, Esc closes it
  await keys.press("Escape");
  await keys.to("spans");
  await keys.press("Home", "ArrowDown", "ArrowDown");
  await page.waitForURL(/span=/);
  const panel = page.getByRole("complementary", { name: "the chosen span" });
  seen.span = (await panel.getByRole("heading").first().innerText()).trim();
  await keys.press("Home", "ArrowLeft");
  seen.folded = await page.getByRole("treeitem").count();
  await keys.press("ArrowRight");
  seen.unfolded = await page.getByRole("treeitem").count();
  await keys.to("fields whose name or value has");
  await keys.type("user");
  await panel.getByRole("button", { name: "user_id" }).waitFor();
  await keys.to("user_id");
  await keys.press("Enter");
  await keys.to("ask about this value");
  await keys.press("Escape");
  await panel.waitFor({ state: "detached" });
  seen.closed = await keys.here();

  // --- errors, the search, the mini-map
  await keys.press("/");
  await keys.type("reserve");
  await keys.press("Enter");
  await page.waitForURL(/span=/);
  seen.found = (await panel.getByRole("heading").first().innerText()).trim();
  await keys.to(/mini-map|part of the trace|window/i, { back: true });
  await keys.press("ArrowUp", "ArrowRight");
  await page.getByRole("button", { name: "whole trace" }).waitFor();
  await keys.press("z");
  await page.getByRole("button", { name: "whole trace" }).waitFor({ state: "detached" });
  await keys.to("open the trace with this id");
  await keys.type("fa11".repeat(8));
  await keys.press("Enter");
  await page.waitForURL(/fa11/);
  await page.getByText("fa11".repeat(8), { exact: true }).waitFor();
  await page.getByRole("treeitem", { name: /charge card/ }).waitFor();
  seen.opened = page.url();
});

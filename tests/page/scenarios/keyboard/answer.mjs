// The answer with keys alone: a box in a heatmap, a point, a part of the time, groups, their order,
// what differs, markers.

import { part, question, withKeys } from "./keys.mjs";

await withKeys(async (keys, page, origin, seen) => {
  await page.goto(origin + question("HEATMAP(duration_ms), COUNT GROUP BY region LAST 2h"));
  await page.getByText("total", { exact: true }).waitFor();

  // --- a box in the heatmap; Esc lets go of it, Enter asks what differs
  await keys.press("a");
  await keys.has(/a heatmap over time/);
  await keys.press("ArrowLeft", "PageUp", "PageUp", "PageUp", "Shift+ArrowUp", "Escape", "ArrowUp");
  for (let step = 0; step < 16; step += 1) await keys.press("Shift+ArrowLeft", "Shift+ArrowUp");
  await keys.press("Enter");
  await page.waitForURL(/selection=/);
  seen.box = JSON.parse(part(page, "selection"));
  await page.getByRole("region", { name: "What differs" }).getByText("outside").first().waitFor();
  seen.boxFocus = await keys.here();
  await page.locator(".value-bars button, .bins button").first().waitFor();
  await keys.to(/ inside .* outside/);
  await keys.press("Enter");
  await keys.to("Only this");

  // --- a point of a line, of the group that arrows go to
  await page.goto(origin + question("COUNT GROUP BY region LAST 2h"));
  await page.getByText("total", { exact: true }).waitFor();
  await keys.press("a");
  await keys.has(/COUNT over time/);
  await keys.press("ArrowRight", "PageDown", "ArrowDown", "ArrowDown");
  seen.said = await page.locator(".plot-frame [role=status]").innerText();
  await keys.press("Enter");
  await keys.has(/^Only this$/);
  await keys.press("ArrowDown");
  seen.second = await keys.here();

  // --- a marker is put there, changed and deleted
  await keys.to(/^Put a marker here/);
  await keys.press("Enter");
  await keys.type("deploy by keys");
  await keys.press("Enter");
  await page.getByRole("list", { name: "Markers" }).getByRole("button", { name: "deploy by keys" }).waitFor();
  seen.back = await keys.here();
  await keys.to(/deploy by keys/);
  await keys.press("Enter");
  await page.getByRole("region", { name: "One marker" }).waitFor();
  await keys.to("Change");
  await keys.press("Enter", "End");
  await keys.type(", twice");
  await keys.press("Enter");
  await page.getByRole("list", { name: "Markers" }).getByRole("button", { name: "deploy by keys, twice" }).waitFor();
  await keys.has(/deploy by keys, twice/);
  await keys.press("Enter");
  await keys.to("Delete");
  await keys.press("Enter");
  await keys.has(/^Delete it$/);
  await keys.press("Enter");
  await page.getByRole("button", { name: /deploy by keys/ }).waitFor({ state: "detached" });
  seen.markers = await page.getByText("deploy by keys").count();

  // --- a part of the time is zoomed to
  await keys.press("a");
  await keys.press("Home");
  for (let step = 0; step < 10; step += 1) await keys.press("Shift+ArrowRight");
  await keys.press("Enter");
  await page.waitForURL((url) => /SINCE/.test(url.searchParams.get("ask") ?? ""));
  seen.zoomed = part(page, "ask");
  await page.goBack();
  await page.waitForURL((url) => url.searchParams.get("ask") === "COUNT GROUP BY region LAST 2h");

  // --- rows: their order is in the address, arrows go from one to the next
  const names = () => page.locator(".groups tbody [data-group]").allInnerTexts();
  // a group that the part of the time had not: until its answer is read, the one before it stays
  await page.locator(".groups tbody [data-group]").getByText("(missing)").waitFor();
  const usual = await names();
  await keys.to("region");
  await keys.press("Enter");
  await page.waitForURL(/sort=/);
  seen.sort = [part(page, "sort"), await names(), usual];
  await page.goBack();
  await page.waitForURL((url) => !url.searchParams.has("sort"));
  seen.unsorted = await names();
  await page.goForward();
  await page.waitForURL(/sort=/);
  seen.again = await names();
  await keys.to(/^(ap|eu|us)$/);
  await keys.press("ArrowDown");
  seen.row = await keys.here();
  await keys.press("Enter");
  await keys.has(/^Only this$/);
  await keys.press("Escape");
  seen.rowAgain = await keys.here();
  await keys.press("Enter");
  await keys.has(/^Only this$/);
  await keys.press("Enter");
  await page.waitForURL((url) => /region = /.test(url.searchParams.get("ask") ?? ""));
  seen.only = part(page, "ask");
});

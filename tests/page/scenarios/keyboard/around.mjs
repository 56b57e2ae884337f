// What is around the questions with keys alone: fields and what is said of them, history, /docs, the end.

import { part, withKeys } from "./keys.mjs";

await withKeys(async (keys, page, origin, seen) => {
  await page.goto(`${origin}/ui/fields/shop`);
  await page.getByText("duration_ms", { exact: true }).waitFor();

  // --- fields: a description is written, and the focus goes back to where it was opened
  await keys.to("search");
  await keys.type("user");
  await page.waitForURL(/search=user/);
  await page.getByRole("rowheader", { name: "region" }).waitFor({ state: "detached" });
  await keys.to(/^(describe|edit the description of) user_id$/);
  await keys.press("Enter");
  await keys.has(/Description of user_id/);
  await keys.press("Escape");
  await keys.has(/user_id/);
  await keys.press("Enter");
  await keys.has(/Description of user_id/);
  await keys.press("Control+A");
  await keys.type("who it was");
  await keys.press("Enter");
  await page.getByText("who it was").waitFor();
  await keys.has(/edit the description of user_id/);
  seen.described = await keys.here();
  await keys.to("search", { back: true });
  await keys.press("Control+A");
  await keys.type("region");
  await page.getByRole("rowheader", { name: "region" }).waitFor();
  await keys.to(/^(eu|us|ap)$/);
  await keys.press("Enter");
  await page.waitForURL((url) => /region = /.test(url.searchParams.get("ask") ?? "") && url.searchParams.has("result"));
  seen.value = part(page, "ask");

  // --- history
  await page.goto(`${origin}/ui/`);
  await page.getByRole("heading", { name: "Datasets" }).waitFor();
  await keys.press("h");
  await page.getByRole("heading", { name: "History" }).waitFor();
  await keys.to("search");
  await keys.type("region");
  await page.waitForURL(/search=region/);
  const asked = page.getByRole("link", { name: seen.value, exact: true });
  for (let turn = 0; turn < 20 && !(await asked.isVisible()); turn += 1) {
    await page.reload(); // a question is there some seconds after its answer
    await asked.waitFor({ timeout: 2_000 }).catch(() => null);
  }
  await keys.to(seen.value);
  await keys.press("Enter");
  await page.waitForURL(/query\/shop/);
  seen.history = part(page, "ask");

  // --- the API's description
  await keys.to("API", { back: true });
  await keys.press("Enter");
  await page.waitForURL(/\/docs/);
  await page.locator("#op-createQueryResult").waitFor();
  await keys.to("Search");
  await keys.type("exampleTraces");
  await page.locator(".docs-main .docs-operation[id^=op-]").nth(1).waitFor({ state: "detached" });
  await keys.to(/traces\/examples/);
  await keys.press("Enter");
  seen.docs = new URL(page.url()).hash;

  // --- the end, and again
  await page.goto(`${origin}/ui/`);
  await page.getByRole("heading", { name: "Datasets" }).waitFor();
  await keys.to("Log out");
  await keys.press("Enter");
  await keys.has(/^Key$/);
  seen.out = await keys.here();
});

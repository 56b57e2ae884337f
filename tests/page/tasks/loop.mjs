// Five tasks of somebody who has data, each from the list of datasets (or, of a link, from an
// answer): node loop.mjs BROWSER ADDRESS KEY COLLEAGUES_KEY FACTS
// FACTS: JSON of what was sent (tests/page/tasks/test_tasks.py).

import { Hands } from "../counted.mjs";
import { logIn, openBrowser, openPage, pictured } from "../opened.mjs";

const [, , program, address, key, otherKey, given] = process.argv;
const sent = JSON.parse(given);
const { origin } = new URL(address);
const opened = await openBrowser(program);
const page = await openPage(opened, origin);
await page.goto(`${origin}/ui/`);
await logIn(page, key);
const tasks = {};

async function task(name, work) {
  await page.goto(`${origin}/ui/`);
  await page.getByRole("link", { name: "shop", exact: true }).waitFor();
  const hands = new Hands(page);
  const facts = await pictured(page, process.env.BELLWETHER_SCREENSHOTS, () => work(hands));
  tasks[name] = { ...hands.took(), facts };
  const folder = process.env.BELLWETHER_SCREENSHOTS;
  if (folder) await page.screenshot({ path: `${folder}/task ${name}.png` });
}

const plot = (name) => page.getByRole("application", { name }).locator(".u-over");
const dataset = (name) => page.getByRole("link", { name, exact: true });
const answered = () => page.waitForURL(/result=/);
const events = () => page.getByRole("region", { name: "Events" });

await task("the slow build from the heatmap", async (hands) => {
  await hands.click(dataset("shop"));
  await answered();
  await page.getByText("complete to").first().waitFor();
  await hands.press("v");
  await hands.type("HEATMAP(duration_ms)");
  await hands.press("Control+Enter");
  const heatmap = plot("HEATMAP(duration_ms), a heatmap over time");
  await heatmap.waitFor();
  await hands.drag(heatmap, [0.7, 0.02], [0.98, 0.3]);
  const fields = page.getByRole("region", { name: "What differs" }).getByRole("heading", { level: 3 });
  await fields.first().waitFor();
  return { fields: await fields.allInnerTexts() };
});

await task("the events behind a spike", async (hands) => {
  await hands.click(dataset("shop"));
  await answered();
  const graph = plot(/^COUNT over time/);
  await graph.waitFor();
  const box = await graph.boundingBox();
  // What a person sees as a spike: where the line is highest.
  const result = new URL(page.url()).searchParams.get("result");
  const { query } = await page.request
    .get(`${origin}/1/query_results/shop/${result}`, { headers: { "X-Honeycomb-Team": key } })
    .then((answer) => answer.json());
  const end = query.end_time ?? Date.now() / 1000;
  const start = query.start_time ?? end - query.time_range;
  const part = (sent.spikeS - start) / (end - start);
  await hands.click(graph, { position: { x: part * box.width, y: box.height / 2 } });
  await hands.click(page.getByRole("menuitem", { name: "Its events" }));
  await page.waitForURL(/SINCE.*result=/);
  await events().getByRole("cell", { name: sent.spike }).first().waitFor();
  const cells = await events().getByRole("row").allInnerTexts();
  return { rows: cells.length - 1, ofSpike: cells.filter((one) => one.includes(sent.spike)).length };
});

await task("one user's failing trace", async (hands) => {
  await hands.click(dataset("shop"));
  await answered();
  await hands.press("/");
  await hands.type(sent.user);
  await hands.press("Enter");
  await page.waitForURL((url) => (url.searchParams.get("ask") ?? "").includes(sent.user) && url.searchParams.has("result"));
  await hands.press("/");
  await hands.type("error");
  const found = page.getByRole("region", { name: "Find a field or a value" });
  await hands.click(found.getByRole("listitem").filter({ hasText: /^error/ }).getByRole("button", { name: "true", exact: true }));
  await page.waitForURL((url) => (url.searchParams.get("ask") ?? "").includes("error = true") && url.searchParams.has("result"));
  await hands.click(page.getByRole("navigation", { name: "Under the graph" }).getByText("Traces", { exact: true }));
  const list = page.getByRole("row").filter({ has: page.getByRole("checkbox") });
  await list.first().waitFor();
  const traces = await list.count();
  await hands.click(list.first().getByRole("link"));
  const spans = page.getByRole("treeitem");
  await spans.first().waitFor();
  return {
    traces,
    trace: decodeURIComponent(new URL(page.url()).pathname.split("/").at(-1)),
    spans: await spans.allInnerTexts(),
  };
});

await task("a word in the logs", async (hands) => {
  await hands.click(dataset("logs"));
  await answered();
  await hands.press("/");
  await hands.type(sent.word);
  await hands.press("Enter");
  await page.waitForURL((url) => (url.searchParams.get("ask") ?? "").includes(sent.word) && url.searchParams.has("result"));
  await hands.click(page.getByRole("navigation", { name: "Under the graph" }).getByText("Events", { exact: true }));
  await events().getByText(sent.word).first().waitFor();
  return { rows: await events().getByRole("row").allInnerTexts() };
});

await task("a link shared with a colleague", async (hands) => {
  await page.goto(`${origin}/ui/query/shop?ask=${encodeURIComponent("COUNT, P99(duration_ms) GROUP BY build.id LAST 2h")}`);
  await answered();
  const rows = (of) => of.getByRole("region", { name: "Groups" }).getByRole("row").allInnerTexts();
  await page.getByRole("region", { name: "Groups" }).getByText(sent.build).waitFor();
  const mine = await rows(page);
  await hands.click(page.getByRole("button", { name: "link", exact: true }));
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const other = await openPage(opened, origin);
  let asked = 0;
  other.on("request", (request) => {
    if (request.method() === "POST" && /\/query_results\//.test(request.url())) asked += 1;
  });
  hands.beside("open the link");
  await other.goto(link);
  await logIn(other, otherKey);
  await other.getByRole("region", { name: "Groups" }).getByText(sent.build).waitFor();
  const theirs = await rows(other);
  const who = await other.getByRole("banner").innerText();
  return { mine, theirs, asked, keyInLink: link.includes(key), who };
});

await opened.browser.close();
console.log(JSON.stringify({ tasks, ...opened.seen }));

// Measures the page in a browser: `node drive.mjs`, told by JSON on standard input what to measure.
// Prints one line of JSON for each repetition of each build. Times are milliseconds.

import { createRequire } from "node:module";
import { watch } from "./watch.mjs";

const require = createRequire(`${process.cwd()}/`);
const { chromium } = require("playwright-core");
const told = JSON.parse(await new Response(process.stdin).text());
const { program, builds, key, origin, link, repetitions, many, trace } = told;
const SETTLE_MS = 400; // after something is drawn: what is late belongs to it
const SCROLLED_FRAMES = 240;

const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
const say = (line) => console.log(JSON.stringify(line));
say({ what: "browser", version: browser.version() });

async function opened(state, build) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...(state ? { storageState: state } : {}) });
  if (builds.length > 1) await asBuild(context, build);
  await context.addInitScript(watch);
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const devtools = await context.newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  return { context, page, devtools };
}

// The server has the files of all builds and one index; each build's names are put into it.
async function asBuild(context, build) {
  await context.route((url) => url.pathname.startsWith("/ui/") && !url.pathname.includes("."), async (route) => {
    if (route.request().resourceType() !== "document") return route.fallback();
    const response = await route.fetch();
    let body = await response.text();
    const nonce = /"style-nonce" content="(\w+)"/.exec(body)?.[1] ?? "";
    if (build) body = build.index.replaceAll("NONCE", nonce);
    await route.fulfill({ response, body });
  });
}

// Time of the page's main thread on a processor, of scripts and of style and layout apart.
async function used(devtools) {
  const { metrics } = await devtools.send("Performance.getMetrics");
  const of = (name) => 1000 * (metrics.find((one) => one.name === name)?.value ?? 0);
  return { thread: of("TaskDuration"), script: of("ScriptDuration"), layout: of("LayoutDuration") + of("RecalcStyleDuration") };
}

const minus = (after, before) => Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]]));

// How long the API takes for a request without a browser.
async function asked(method, path, body) {
  const began = performance.now();
  const headers = { "X-Honeycomb-Team": key, "Content-Type": "application/json" };
  const answer = await fetch(origin + path, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 300)}`);
  return { ms: performance.now() - began, bytes: text.length, document: JSON.parse(text) };
}

async function firstView(build, state) {
  const { context, page, devtools } = await opened(state, build);
  await page.goto(`${origin}/ui/`);
  const seen = await page.evaluate(() => globalThis.watched.until(() => {
    const numbers = [...document.querySelectorAll("table.datasets tbody tr")].map((row) => row.querySelector("td.number")?.textContent ?? "…");
    return numbers.length > 0 && numbers.every((one) => /^[\d,.]+/.test(one));
  }));
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null);
  const cpu = await used(devtools);
  const requests = await page.evaluate(() => performance.getEntriesByType("resource").length + 1);
  await context.close();
  const datasets = await asked("GET", "/1/datasets");
  const count = JSON.stringify({ query: { calculations: [{ op: "COUNT" }], time_range: 3600, granularity: 120 }, wait_s: 10 });
  const began = performance.now();
  await Promise.all(datasets.document.map((one) => asked("POST", `/1/query_results/${one.slug}`, count)));
  return { what: "first view", build: build.name, api: datasets.ms + performance.now() - began, shown: seen, paint, requests, ...cpu };
}

// From Ctrl-Enter to the drawn graph. The condition is another one each time: nothing is kept from before.
async function question(build, state, name, text, dataset, number) {
  const { context, page, devtools } = await opened(state, build);
  const unlike = `-${number}.5`; // below every value
  await page.goto(`${origin}/ui/query/${dataset}?ask=${encodeURIComponent(text.replace("UNLIKE", "-0.25"))}`);
  await page.evaluate(() => globalThis.watched.drawn(0));
  await page.getByRole("textbox", { name: "The question as text" }).click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text.replace("UNLIKE", unlike));
  await page.keyboard.press("Escape");
  await page.waitForTimeout(SETTLE_MS);
  let sent = null;
  page.on("request", (request) => {
    if (request.method() === "POST" && /\/1\/query_results\//.test(request.url())) sent = request;
  });
  const before = await used(devtools);
  await page.evaluate(() => globalThis.watched.clear());
  await page.keyboard.press("Control+Enter");
  const seen = await page.evaluate(() => globalThis.watched.answered());
  await page.waitForTimeout(SETTLE_MS);
  const cpu = minus(await used(devtools), before);
  const rest = await page.evaluate(() => globalThis.watched.told());
  const body = sent.postData().replace(unlike, `-${number}.75`);
  const path = new URL(sent.url()).pathname;
  await context.close();
  const api = await asked("POST", path, body);
  return { what: name, build: build.name, api: api.ms, bytes: api.bytes, ...seen, ...rest, ...cpu };
}

async function scrolling(build, state) {
  const { context, page, devtools } = await opened(state, build);
  const answer = page.waitForResponse((one) => one.url().includes(`/${trace.id}`) && one.ok());
  await page.goto(`${origin}/ui/trace/${trace.id}`);
  await answer;
  const shown = await page.evaluate(() => globalThis.watched.until(() => document.querySelectorAll(".trace-row").length > 5));
  await page.waitForTimeout(SETTLE_MS);
  const opening = await used(devtools);
  await page.evaluate(() => globalThis.watched.clear());
  const frames = await page.evaluate((count) => globalThis.watched.scroll(".trace-rows", count), SCROLLED_FRAMES);
  const cpu = minus(await used(devtools), opening);
  const rest = await page.evaluate(() => globalThis.watched.told());
  await context.close();
  const api = await asked("GET", `/bw/1/traces/${trace.id}?limit=10000&links=true`);
  return {
    what: "scrolling", build: build.name, api: api.ms, shown, ...frames, ...rest,
    opening: opening.thread, perFrame: Object.fromEntries(Object.entries(cpu).map(([name, ms]) => [name, ms / SCROLLED_FRAMES])),
  };
}

const first = await opened(null, null);
await first.page.goto(link);
await first.page.locator("table.datasets").waitFor();
const state = await first.context.storageState();
await first.context.close();
for (let number = 0; number < repetitions; number += 1) {
  // in turns, each time another build first
  const order = number % 2 ? [...builds].reverse() : builds;
  for (const build of order) {
    say(await firstView(build, state));
    say(await question(build, state, "question", "COUNT, P95(duration_ms) WHERE duration_ms > UNLIKE GROUP BY service LAST 1h", told.load, 10 + 2 * number + builds.indexOf(build)));
    say(await question(build, state, "many", many.text, many.dataset, 10 + 2 * number + builds.indexOf(build)));
    say(await scrolling(build, state));
  }
}
await browser.close();

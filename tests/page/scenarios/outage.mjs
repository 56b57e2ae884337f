// The page while things fail: the network, the whole server, an indexer, the key it logged in with.
// node outage.mjs BROWSER ADDRESS KEY FOLDER

import { askFor } from "../asked.mjs";
import { logIn, openBrowser, openPage } from "../opened.mjs";

const [, , program, address, key, folder] = process.argv;
const { origin } = new URL(address);
const opened = await openBrowser(program);
const page = await openPage(opened, origin);
const ask = "COUNT GROUP BY build.id LAST 2h";
await page.goto(`${origin}/ui/query/shop?ask=${encodeURIComponent(ask)}`);
await logIn(page, key);
const groups = page.getByRole("region", { name: "Groups" });
const away = page.getByText("The server cannot be reached", { exact: false }).first();
await groups.getByText("b1041").waitFor();
await page.evaluate(() => (globalThis.sameDocument = true));
const found = {};

const picture = (name) => (folder ? page.screenshot({ path: `${folder}/outage ${name}.png` }) : null);
const state = async () => ({
  same: await page.evaluate(() => globalThis.sameDocument === true),
  ask: new URL(page.url()).searchParams.get("ask"),
  rows: (await groups.isVisible()) ? await groups.getByRole("row").count() : 0,
  text: (await page.locator("body").innerText()).slice(0, 1500),
});
const answers = () => page.waitForResponse((one) => /query_results/.test(one.url()) && one.ok(), { timeout: 120_000 });

await page.context().setOffline(true);
await page.keyboard.press("Control+Enter");
await away.waitFor();
found.offline = await state();
await picture("offline");
await page.context().setOffline(false);
await away.waitFor({ state: "detached" });
await groups.getByText("b1041").waitFor();
found.online = await state();

await askFor("stop");
await page.keyboard.press("Control+Enter");
await away.waitFor();
found.stopped = await state();
await picture("stopped");
const back = answers();
await askFor("start");
await away.waitFor({ state: "detached", timeout: 120_000 });
await back;
await groups.getByText("b1041").waitFor();
found.back = await state();

// The indexer reads what its log still holds, and says so meanwhile.
const whole = page.getByRole("img", { name: /^Coverage: complete/ });
for (let turn = 0; turn < 60 && !(await whole.isVisible()); turn += 1) {
  await page.keyboard.press("Control+Enter");
  await whole.waitFor({ timeout: 2_000 }).catch(() => null);
}
await whole.waitFor();
await askFor("hang");
await page.keyboard.press("Control+Enter");
await page.getByText(/partitions did not answer/).first().waitFor({ timeout: 120_000 });
found.hanging = { ...(await state()), hatch: await page.getByRole("img", { name: /^Coverage: / }).getAttribute("aria-label") };
await picture("hanging");
await askFor("wake");

// What begins a minute after it was revoked is refused, however long it then takes.
const ENDED_MS = 60_000;
await askFor("revoke");
const ends = Date.now() + ENDED_MS;
const login = page.getByLabel("Key", { exact: true });
let late = null;
while (Date.now() < ends && !(await login.isVisible())) {
  await page.keyboard.press("Control+Enter");
  await login.waitFor({ timeout: 3_000 }).catch(() => null);
}
if (!(await login.isVisible())) {
  const last = page.waitForResponse((one) => /query_results|\/text\/read/.test(one.url()));
  await page.keyboard.press("Control+Enter");
  late = (await last).status();
  await login.waitFor();
}
found.revoked = { shown: await login.isVisible(), late, text: await page.locator("main").innerText(), address: page.url() };
await picture("revoked");
await opened.browser.close();
console.log(JSON.stringify({ ...found, ...opened.seen }));

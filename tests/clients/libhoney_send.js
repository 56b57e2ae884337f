// Sends events with the vendor's JavaScript client and prints its responses as JSON lines.
// Arguments: folder with node_modules, address, key.
const [, , folder, apiHost, writeKey] = process.argv;
const load = require("module").createRequire(folder + "/");
const libhoney = load("libhoney");
const Libhoney = libhoney.default || libhoney;

const client = new Libhoney({
  apiHost,
  writeKey,
  dataset: "Js Client",
  batchSizeTrigger: 25,
  responseCallback(responses) {
    for (const r of responses) {
      console.log(JSON.stringify({ n: r.metadata, status: r.status_code }));
    }
  },
});
const fields = [{ plain: 1, half: 0.5, s: "é", o: { x: [1] } }, { nan: NaN }, { big: "x".repeat(65536) }];
for (let n = 0; n < 100; n++) fields.push({ n });
fields.forEach((data, n) => {
  const event = client.newEvent();
  event.add(data);
  event.metadata = n;
  event.timestamp = new Date(1795248341123);
  event.send();
});
client.flush().catch((error) => {
  console.error(error);
  process.exit(1);
});

// Records spans with OpenTelemetry's SDK for JavaScript, numbered in the attribute `seq`, until its
// standard input ends, and at least as many as it is told. Then it prints how it went.
// Arguments: folder with node_modules, URL of the route, key, "proto" or "json", spans.
//
// The SDK and its exporters are unmodified. A batch that the exporter gives up is handed to it
// again, the same spans, as programs do that may lose none.
const [, , folder, url, key, encoding, least] = process.argv;
const load = require("module").createRequire(folder + "/");
const { DiagLogLevel, diag } = load("@opentelemetry/api");
const { BatchSpanProcessor, TracerProvider } = load("@opentelemetry/sdk-trace");
const { resourceFromAttributes } = load("@opentelemetry/resources");
const name = encoding === "json" ? "http" : "proto";
const { OTLPTraceExporter } = load(`@opentelemetry/exporter-trace-otlp-${name}`);

const exporter = new OTLPTraceExporter({
  url,
  headers: { "X-Honeycomb-Team": key },
  timeoutMillis: 20000,
  compression: encoding === "json" ? "none" : "gzip",
});
let exported = 0;
let again = 0; // batches that the exporter gave up
let retried = 0; // requests that it repeated itself
const nothing = () => {};
const count = (text) => {
  if (text.startsWith("Scheduling export retry")) retried++;
};
const logger = { verbose: count, debug: nothing, info: nothing, warn: nothing, error: nothing };
diag.setLogger(logger, { logLevel: DiagLogLevel.VERBOSE });
const patient = {
  export(spans, done) {
    exporter.export(spans, (result) => {
      if (result.code === 0) {
        exported += spans.length;
        return done(result);
      }
      if (!String(result.error).includes("Concurrent export limit")) again++;
      setTimeout(() => patient.export(spans, done), 200);
    });
  },
  forceFlush: () => exporter.forceFlush(),
  shutdown: () => exporter.shutdown(),
};
const processor = new BatchSpanProcessor({
  exporter: patient,
  maxQueueSize: 1000000,
  maxExportBatchSize: 50, // more than what is recognised when it is repeated
  scheduledDelayMillis: 1000000, // only the last batch is smaller, when all is quiet
  exportTimeoutMillis: 1000000,
});
const provider = new TracerProvider({
  resource: resourceFromAttributes({ "service.name": `js-${encoding}` }),
  spanProcessors: [processor],
});
const tracer = provider.getTracer("numbered", "1.0.0");

let seq = 0;
function record() {
  seq++;
  const span = tracer.startSpan("step", { kind: 2, attributes: { seq, half: seq / 2, even: seq % 2 === 0, text: `é ${seq}` } });
  span.end();
}
let ended = false;
process.stdin.on("end", () => (ended = true));
process.stdin.resume();
async function run() {
  while (!ended || seq < Number(least)) {
    for (let n = 0; n < 20; n++) record();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await provider.forceFlush({ timeoutMillis: 1000000 });
  while (exported < seq) await new Promise((resolve) => setTimeout(resolve, 20));
  console.log(JSON.stringify({ recorded: seq, exported, again, retried }));
  process.exit(0);
}
run();

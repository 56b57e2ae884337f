// A step that is killed before its end: node worker.js URL KEY ANNOUNCE_JS
const [url, key, announce] = process.argv.slice(2);
const { TracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
const { AnnounceSpans } = require(announce);

const exporter = () =>
  new OTLPTraceExporter({ url: `${url}/v1/traces`, headers: { 'x-honeycomb-team': key } });
const announced = new AnnounceSpans({
  exporter: exporter(),
  which: (span) => span.name !== 'too short to announce',
});
const ended = new SimpleSpanProcessor({ exporter: exporter() });
const tracer = new TracerProvider({ spanProcessors: [announced, ended] }).getTracer('worker');

(async () => {
  tracer.startSpan('done', { attributes: { n: 1 } }).end();
  tracer.startSpan('too short to announce').end();
  const span = tracer.startSpan('killed', { attributes: { n: 2 } });
  span.setAttribute('later', true);
  await Promise.all([announced.forceFlush(), ended.forceFlush()]);
  process.kill(process.pid, 'SIGKILL');
})();

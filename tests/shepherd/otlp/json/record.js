// Prints what @opentelemetry/otlp-transformer makes of unusual values: {"traces": TEXT, "logs": TEXT,
// "metrics": TEXT}. Recorded as recorded.json with otlp-transformer 0.301.1, sdk-trace, sdk-logs and
// sdk-metrics 3.1.1. Argument: a folder with node_modules.
const load = require("module").createRequire(process.argv[2] + "/");
const { JsonTraceSerializer, JsonLogsSerializer, JsonMetricsSerializer } = load("@opentelemetry/otlp-transformer");
const { resourceFromAttributes } = load("@opentelemetry/resources");

const resource = resourceFromAttributes({ "service.name": "shop", "process.pid": 7 });
const scope = { name: "checkout", version: "1.2.3", schemaUrl: "" };
const odd = {
  text: "é ✓ \ud83d\ude00",
  "half a pair": "a\ud800b",
  yes: true,
  whole: 200,
  half: 0.5,
  "below zero": -9007199254740991,
  "minus zero": -0,
  "from 2 to the 63": 2 ** 63,
  "beyond 64 bits": 1e21,
  "not a number": NaN,
  endless: Infinity,
  nothing: null,
  bytes: new Uint8Array([0, 255, 62, 63]),
  mixed: ["a", 1, 0.25, true, null],
  none: [],
  map: { a: 1, b: { c: "d" } },
  "empty map": {},
};
const ids = { traceId: "5B8EFFF798038103D269B633813FC60C".toLowerCase(), spanId: "eee19b7ec3c1b174", traceFlags: 1 };
const span = {
  name: "POST /cart",
  kind: 1,
  spanContext: () => ids,
  parentSpanContext: { ...ids, spanId: "eee19b7ec3c1b173", isRemote: true },
  startTime: [1795248341, 123456789],
  endTime: [1795248342, 5],
  status: { code: 2, message: "out of stock" },
  attributes: odd,
  links: [{ context: { ...ids, spanId: "00000000000000ff" }, attributes: { why: "retry" }, droppedAttributesCount: 0 }],
  events: [
    { name: "exception", time: [1795248341, 5], attributes: { "exception.type": "Error" }, droppedAttributesCount: 3 },
  ],
  duration: [0, 876543216],
  ended: true,
  resource,
  instrumentationScope: scope,
  droppedAttributesCount: 1,
  droppedEventsCount: 0,
  droppedLinksCount: 2,
};
const root = { ...span, name: "root", parentSpanContext: undefined, attributes: {}, links: [], events: [], status: { code: 0 } };
const record = {
  hrTime: [1795248341, 1],
  hrTimeObserved: [1795248341, 2],
  spanContext: ids,
  severityText: "ERROR",
  severityNumber: 17,
  body: { message: "out of stock", items: [1, 2] },
  eventName: "cart.failed",
  resource,
  instrumentationScope: scope,
  attributes: odd,
  droppedAttributesCount: 4,
};
const times = { startTime: [1795248341, 0], endTime: [1795248351, 0] };
const descriptor = (name, unit) => ({ name, description: "of a test", unit, type: "X", valueType: 1, advice: {} });
const metric = (name, dataPointType, more) => ({ descriptor: descriptor(name, "s"), aggregationTemporality: 1, dataPointType, ...more });
const metrics = [
  metric("sum", 3, { isMonotonic: true, dataPoints: [{ ...times, attributes: { a: 1 }, value: 3 }, { ...times, attributes: {}, value: 0.5 }] }),
  metric("gauge", 2, { dataPoints: [{ ...times, attributes: {}, value: NaN }] }),
  metric("histogram", 0, {
    dataPoints: [
      { ...times, attributes: {}, value: { min: 1, max: 9, sum: 12.5, count: 3, buckets: { boundaries: [5, 10.5], counts: [2, 1, 0] } } },
    ],
  }),
  metric("exponential", 1, {
    dataPoints: [
      {
        ...times,
        attributes: {},
        value: {
          min: 1, max: 9, sum: 12.5, count: 3, scale: -3, zeroCount: 1,
          positive: { offset: -2, bucketCounts: [1, 1] },
          negative: { offset: 0, bucketCounts: [] },
        },
      },
    ],
  }),
];
const text = (bytes) => new TextDecoder().decode(bytes);
console.log(
  JSON.stringify({
    traces: text(JsonTraceSerializer.serializeRequest([root, span])),
    logs: text(JsonLogsSerializer.serializeRequest([record])),
    metrics: text(JsonMetricsSerializer.serializeRequest({ resource, scopeMetrics: [{ scope, metrics }] })),
  }),
);

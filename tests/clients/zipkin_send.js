// Records client, server and local spans with Zipkin's JavaScript client, unmodified.
// Arguments: folder with node_modules, URL of the route, key, version of the JSON, number of calls.
const [, , folder, endpoint, key, version, calls] = process.argv;
const load = require("module").createRequire(folder + "/");
const zipkin = load("zipkin");
const { HttpLogger } = load("zipkin-transport-http");
const { Annotation, BatchRecorder, ExplicitContext, InetAddress, TraceId, Tracer, jsonEncoder, option } = zipkin;

const options = { endpoint, headers: { "X-Honeycomb-Team": key }, httpInterval: 50 };
if (version === "2") options.jsonEncoder = jsonEncoder.JSON_V2;
const logger = new HttpLogger(options);
logger.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
const context = new ExplicitContext();
const recorder = new BatchRecorder({ logger });
const tracerOf = (name) =>
  new Tracer({ ctxImpl: context, recorder, localServiceName: name, traceId128Bit: true });
const web = tracerOf("web");
const users = tracerOf("users");

// One call: its client's span, and the span that its server shares with it.
function call(n) {
  web.scoped(() => {
    web.setId(web.createRootId());
    const id = web.id;
    web.recordServiceName("web");
    web.recordRpc("get");
    web.recordAnnotation(new Annotation.ClientSend());
    web.recordAnnotation(new Annotation.ServerAddr({ serviceName: "users", host: new InetAddress("10.0.0.2"), port: 8080 }));
    web.recordBinary("n", String(n));
    web.recordMessage("sent");
    users.scoped(() => {
      users.setId(new TraceId({
        traceId: id.traceId, parentId: id._parentId, spanId: id.spanId, sampled: id.sampled, shared: true,
      }));
      users.recordServiceName("users");
      users.recordRpc("get");
      users.recordAnnotation(new Annotation.ServerRecv());
      users.recordBinary("n", String(n));
      if (n % 2) users.recordBinary("error", "no such user");
      users.recordAnnotation(new Annotation.ServerSend());
    });
    web.recordAnnotation(new Annotation.ClientRecv());
    web.setId(id);
  });
  web.local("local", () => web.recordBinary("n", String(n)));
}
for (let n = 0; n < Number(calls); n++) call(n);
logger.on("success", () => {
  if (logger.queue.length === 0) {
    console.log("sent");
    process.exit(0);
  }
});
setTimeout(() => process.exit(2), 30000);

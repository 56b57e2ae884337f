// Announce spans when they start: a span processor for OpenTelemetry's SDK for JavaScript.
//
//     const exporter = new OTLPTraceExporter();
//     const provider = new TracerProvider({
//       spanProcessors: [
//         new AnnounceSpans({ exporter }),
//         new BatchSpanProcessor({ exporter }), // version 3; before it: new BatchSpanProcessor(exporter)
//       ],
//     });
//
// An SDK exports a span when it ends: of one whose process is killed nothing arrives. This processor
// exports at once a copy of length 0 with the span's own ids and `meta.annotation_type` =
// `span_start`. Bellwether shows it as an announced span until the span itself arrives, and counts
// it as no span. Each announcement is a request of its own: choose with `which` the spans that are
// worth it. The request leaves in the background; `forceFlush` waits for those that are on the way.

const { context } = require('@opentelemetry/api');
const { suppressTracing } = require('@opentelemetry/core');

class AnnounceSpans {
  constructor({ exporter, which = () => true }) {
    this._exporter = exporter;
    this._which = which;
    this._pending = new Set();
  }

  onStart(span) {
    const sampled = (span.spanContext().traceFlags & 1) === 1;
    if (!sampled || !this._which(span)) return;
    // a view of the span that has ended where it began; everything else is the span's own
    const attributes = { ...span.attributes, 'meta.annotation_type': 'span_start' };
    const start = Object.create(span, {
      attributes: { value: attributes },
      endTime: { value: span.startTime },
      duration: { value: [0, 0] },
      ended: { value: true },
    });
    const sent = this._send(start);
    this._pending.add(sent);
    sent.then(() => this._pending.delete(sent));
  }

  async _send(start) {
    if (start.resource.asyncAttributesPending) await start.resource.waitForAsyncAttributes();
    // the exporter's own request is no span of the program
    await context.with(
      suppressTracing(context.active()),
      () => new Promise((resolve) => this._exporter.export([start], resolve)),
    );
  }

  onEnd() {}

  async forceFlush() {
    await Promise.all(this._pending);
  }

  async shutdown() {
    await this.forceFlush();
    await this._exporter.shutdown();
  }
}

module.exports = { AnnounceSpans };

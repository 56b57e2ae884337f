// How to send the first event: it notices when the event arrives.

import { useEffect, useState } from "preact/hooks";
import { call } from "../../api/client";

const LOOK_MS = 2000;

export function FirstEvent({ onArrived }: { onArrived: () => void }) {
  const url = location.origin;
  useEffect(() => {
    const timer = setInterval(async () => {
      try {
        const found = await call("listDatasets");
        if (found.some((one) => one.slug !== "bellwether")) onArrived();
      } catch {
        // the next look tells
      }
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [onArrived]);
  return (
    <>
      <h1>Send the first event</h1>
      <p class="quiet">
        Nothing has been sent yet. This page notices when the first event arrives. In place of <code>KEY</code>{" "}
        put an API key: it is never shown here.
      </p>
      <Example
        name="curl"
        text={`curl -s ${url}/1/events/hello -H "X-Honeycomb-Team: KEY" \\\n  -d '{"service":"web","status":200,"duration_ms":12.5}'`}
      />
      <Example
        name="OpenTelemetry"
        text={`export OTEL_EXPORTER_OTLP_ENDPOINT=${url}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team=KEY\nexport OTEL_SERVICE_NAME=hello`}
      />
      <Example
        name="libhoney for Python"
        text={`import libhoney\n\nlibhoney.init(writekey="KEY", dataset="hello", api_host="${url}")\nlibhoney.send_now({"service": "web", "status": 200, "duration_ms": 12.5})\nlibhoney.close()`}
      />
    </>
  );
}

function Example({ name, text }: { name: string; text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <section class="block">
      <div class="row">
        <h2>{name}</h2>
        <button class="small" onClick={copy} aria-label={`Copy the lines for ${name}`}>
          {copied ? "Copied" : "Copy"}
        </button>
      </div>
      <pre class="panel mono">{text}</pre>
    </section>
  );
}

// How events are sent, with this address and, once one asked for it, a key for it.

import { useState } from "preact/hooks";
import { call } from "../../api/client";
import { toClipboard } from "../../parts/clipboard";
import { Problem } from "../../parts/problem";
import type { Who } from "../../session";

/** Stands where a key belongs. */
const PLACE = "KEY";

export function Sending({ who }: { who: Who }) {
  // It is shown once: it lives here, and goes with this view.
  const [key, setKey] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    setError(null);
    try {
      const day = new Date().toISOString().slice(0, 10);
      setKey((await call("createKey", { body: { name: `events, made on the page ${day}`, ingest: true } })).key);
    } catch (reason) {
      setError(reason);
    }
    setBusy(false);
  };
  const url = location.origin;
  const shown = key ?? PLACE;
  return (
    <>
      {key === null ? (
        <KeyWanted who={who} busy={busy} onMake={() => void make()} />
      ) : (
        <p role="status">
          Key <code class="made-key">{key}</code> It can only send events, and is shown only now: this page keeps it nowhere.
        </p>
      )}
      {error !== null && <Problem error={error} />}
      <Example
        name="curl"
        text={`curl -s ${url}/1/events/hello -H "X-Honeycomb-Team: ${shown}" \\\n  -d '{"service":"web","status":200,"duration_ms":12.5}'`}
      />
      <Example
        name="OpenTelemetry"
        text={`export OTEL_EXPORTER_OTLP_ENDPOINT=${url}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team=${shown}\nexport OTEL_SERVICE_NAME=hello`}
      />
      <Example
        name="libhoney for Python"
        text={`import libhoney\n\nlibhoney.init(writekey="${shown}", dataset="hello", api_host="${url}")\nlibhoney.send_now({"service": "web", "status": 200, "duration_ms": 12.5})\nlibhoney.close()`}
      />
    </>
  );
}

function KeyWanted({ who, busy, onMake }: { who: Who; busy: boolean; onMake: () => void }) {
  const rights = who.rights as Record<string, boolean>;
  if (rights.admin) {
    return (
      <p class="row">
        <button class="main" disabled={busy} onClick={onMake}>Make a key for these lines</button>
        <span class="quiet">It can only send events, and takes the place of <code>{PLACE}</code>.</span>
      </p>
    );
  }
  return (
    <p class="quiet">
      In place of <code>{PLACE}</code> put an API key that may send events.{" "}
      {rights.events ? "The one that you logged in with may. " : "The one that you logged in with may not. "}
      It may not make others: ask someone whose key has the right <code>admin</code> for an ingest key of{" "}
      {who.environment.name}, or on the machine of Bellwether <code>bellwether keys create NAME --ingest</code>.
    </p>
  );
}

function Example({ name, text }: { name: string; text: string }) {
  const [said, setSaid] = useState<{ text: string; words: string } | null>(null);
  const copy = () =>
    toClipboard(text).then(
      () => setSaid({ text, words: "Copied" }),
      () => setSaid({ text, words: "The browser does not let this page copy" }),
    );
  return (
    <section class="block">
      <div class="row">
        <h2>{name}</h2>
        <button class="small" onClick={copy} aria-label={`Copy the lines for ${name}`}>
          {said?.text === text ? said.words : "Copy"}
        </button>
      </div>
      <pre class="panel mono" tabIndex={0}>{text}</pre>
    </section>
  );
}

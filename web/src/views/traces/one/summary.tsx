// The first lines of a trace: what it is, how long, what failed, and how much of it is known.

import { useState } from "preact/hooks";
import { go, linkTo } from "../../../address";
import { call } from "../../../api/client";
import { ALL_DATASETS } from "../../../api/datasets";
import type { SeriesLook } from "../../../look/palette";
import { timeOf, utcOf } from "../../../look/times";
import { duration, plain } from "../../../look/units";
import { Problem } from "../../../parts/problem";
import { CoverageWords } from "../../query/coverage";
import { quotedName, quotedValue } from "../../query/question/tokens";
import { titleOf } from "../tree";
import type { Trace } from "../trace_answer";

export function Summary({ trace, onAgain }: { trace: Trace; onAgain: () => void }) {
  const root = trace.lines[0];
  const began = Date.parse(trace.start ?? "") / 1000;
  const open = Object.entries(trace.open ?? {});
  const many = (count: number, word: string) => `${plain(count)} ${word}${count === 1 ? "" : "s"}`;
  const facts = [
    duration(trace.duration_ms ?? 0),
    many(trace.spans ?? 0, "span"),
    many(Object.keys(trace.services ?? {}).length, "service"),
  ];
  if (trace.events) facts.push(many(trace.events, "event"));
  if (trace.missing) facts.push(many(trace.missing, "missing span"));
  if (trace.outside_parent) facts.push(`${plain(trace.outside_parent)} outside of their parents by the clock`);
  for (const [how, count] of open) facts.push(`${plain(count)} not finished (${how})`);
  return (
    <>
      <div class="spread">
        <h1>
          <bdi class="trace-title" title={root ? titleOf(root) : undefined}>{root ? titleOf(root) : "Trace"}</bdi>{" "}
          <code class="quiet">{trace.trace_id}</code>
        </h1>
        <span class="row">
          <a {...logsOf(trace)}>its events</a>
          <Compare trace={trace} />
          <button onClick={onAgain}>Read again</button>
        </span>
      </div>
      {root ? (
        <p class="small quiet trace-facts">
          <span title={utcOf(began)}>{timeOf(began)}</span> · {facts.join(" · ")} ·{" "}
          {trace.errors ? <span class="error">✕ {many(trace.errors, "error")}</span> : "no errors"} ·{" "}
          <CoverageWords coverage={trace.coverage} />
        </p>
      ) : (
        <p>No event of this trace was found, and not everything could be asked: <CoverageWords coverage={trace.coverage} /></p>
      )}
      {trace.notes.map((note) => <p class="small quiet trace-facts" key={note}>{note}</p>)}
    </>
  );
}

/** A question for the events of a trace, logs too. */
function logsOf(trace: Trace) {
  const datasets = Object.keys(trace.datasets ?? {});
  const dataset = datasets.length === 1 ? (datasets[0] ?? ALL_DATASETS) : ALL_DATASETS;
  // the answer has the id as one wrote it, and conditions compare texts
  const forms = [...new Set([trace.trace_id, trace.trace_id.toLowerCase()])].map(quotedValue).join(", ");
  const ask = `SELECT * WHERE ${quotedName("trace.trace_id")} IN (${forms}) LAST 7d`;
  return linkTo({ view: "query", dataset, ask, tab: "events" });
}

function Compare({ trace }: { trace: Trace }) {
  const [other, setOther] = useState("");
  const [error, setError] = useState<unknown>(null);
  const root = trace.lines.find((line) => line.depth === 0 && line.kind === "span");
  const usual = async () => {
    setError(null);
    const length = Math.max(3600, Math.ceil(Date.now() / 1000 - Date.parse(trace.start ?? "") / 1000) + 3600);
    const against = `WHERE root.name = ${quotedValue(root?.name ?? "")} LAST ${length}s`;
    try {
      const answer = await call("compareTraces", { body: { trace: trace.trace_id, against } });
      const found = (answer as { reference?: { id?: string } }).reference?.id;
      if (found) go({ view: "compare", one: trace.trace_id, other: found });
    } catch (reason) {
      setError(reason);
    }
  };
  return (
    <details class="trace-compare">
      <summary>compare</summary>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (other.trim()) go({ view: "compare", one: trace.trace_id, other: other.trim() });
        }}
      >
        <input class="mono" aria-label="id of the other trace" placeholder="other trace id" value={other} onInput={(event) => setOther(event.currentTarget.value)} />
        <button type="submit">with this one</button>
        {root?.name && <button type="button" onClick={() => void usual()}>with a typical {root.name}</button>}
      </form>
      {error ? <Problem error={error} /> : null}
    </details>
  );
}

export function Legend({ looks, services }: { looks: ReadonlyMap<string, SeriesLook>; services: Record<string, number> }) {
  return (
    <p class="small row trace-facts">
      {Object.entries(services).map(([name, count]) => (
        <span key={name} class="row" style={{ gap: "4px" }}>
          <span class="trace-key" style={{ background: looks.get(name)?.colour }} />
          <bdi class="trace-legend" title={name}>{name || "(no service)"}</bdi> <span class="quiet">{plain(count)}</span>
        </span>
      ))}
    </p>
  );
}

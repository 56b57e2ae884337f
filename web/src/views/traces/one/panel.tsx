// The chosen span: what is known of it, what happened in it, and every field of its event.

import { useState } from "preact/hooks";
import { linkTo } from "../../../address";
import { timeOf, utcOf } from "../../../look/times";
import { duration } from "../../../look/units";
import { Problem } from "../../../parts/problem";
import { useAnswer } from "../../../parts/use_answer";
import { titleOf, type Tree } from "../tree";
import type { Line, Linked, Trace } from "../trace_answer";
import { FieldRows } from "./fields";
import { eventOf } from "./whole_event";

interface Props {
  trace: Trace;
  tree: Tree;
  at: number;
  onChoose: (at: number) => void;
  onClose: () => void;
}

const MARKS: Record<string, string> = {
  shared_id: "the server's half of a span that client and server wrote under one id",
  duplicate_id: "another span has the same id",
  cycle: "it is an ancestor of its own parent, so it is shown as a root",
};
const LISTED = 50;
const LINKS = 8;

export function Panel({ trace, tree, at, onChoose, onClose }: Props) {
  const line = tree.lines[at];
  const [wanted, setWanted] = useState("");
  const event = useAnswer(line?.dataset ? `${trace.trace_id} ${tree.keys[at]}` : null, async (signal) => ({
    at,
    row: line ? await eventOf(line, trace.trace_id, signal) : null,
  }));
  if (!line) return null;
  const known = event.value?.at === at ? event.value : undefined;
  const inside = below(tree, at);
  const began = Date.parse(line.start) / 1000;
  return (
    <aside
      class="panel trace-panel"
      aria-label="the chosen span"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.preventDefault();
        onClose();
      }}
    >
      <div class="spread">
        <h2 class={line.error ? "error" : ""}>{line.error ? "✕ " : ""}{titleOf(line)}</h2>
        <button onClick={onClose} title="Esc" aria-label="close">✕</button>
      </div>
      <dl>
        {line.service && <><dt>service</dt><dd>{line.service}</dd></>}
        <dt>began</dt>
        <dd title={utcOf(began)}>{timeOf(began)}, {duration(line.offset_ms)} after the trace</dd>
        {line.duration_ms !== null && <><dt>duration</dt><dd>{duration(line.duration_ms)}</dd></>}
        {typeof line.self_ms === "number" && <><dt>itself</dt><dd>{duration(line.self_ms)}, without its children</dd></>}
        {line.span_kind && <><dt>kind</dt><dd>{line.span_kind}</dd></>}
        {line.error_by && <><dt>failed by</dt><dd><code>{line.error_by.join(", ")}</code></dd></>}
        {line.process && <><dt>process</dt><dd><code>{line.process}</code></dd></>}
        <dt>{line.kind === "event" ? "in span" : "span"}</dt><dd><code>{line.span_id || "none"}</code></dd>
        {line.message && <><dt>text</dt><dd>{line.message}</dd></>}
        {line.link && <><dt>link</dt><dd><TraceLink id={line.link.trace_id} span={line.link.span_id} /></dd></>}
      </dl>
      <Doubts line={line} />
      <Inside tree={tree} lines={inside} onChoose={onChoose} />
      <LinksHere trace={trace} line={line} />
      {line.kind === "missing" && <p class="quiet">No event of this span is stored, so it has no fields.</p>}
      {event.error ? <Problem error={event.error} again={event.again} /> : null}
      {line.dataset && (known === undefined || known.row) && (
        <>
          <div class="spread">
            <h3>All fields</h3>
            <input aria-label="fields whose name or value has" placeholder="find" value={wanted} onInput={(input) => setWanted(input.currentTarget.value)} />
          </div>
          {known?.row && <FieldRows trace={trace.trace_id} dataset={line.dataset} data={known.row.data} wanted={wanted} />}
        </>
      )}
      {known && !known.row && line.dataset && (
        <p class="quiet">
          Its event was not found under <code>trace.span_id</code> or <code>id</code> at this time in {line.dataset}.
        </p>
      )}
    </aside>
  );
}

/** What is not certain about a span, and how the rest is known. */
function Doubts({ line }: { line: Line }) {
  const said: string[] = (line.marks ?? []).map((mark) => MARKS[mark] ?? mark);
  const outside = line.outside_parent_ms;
  if (outside) {
    said.push(outside < 0 ? `began ${duration(-outside)} before its parent: the clocks may differ` : `ended ${duration(outside)} after its parent: the clocks may differ`);
  }
  if (line.open) said.push(`${line.open.how}: ${line.open.why}; last sign ${timeOf(Date.parse(line.open.last) / 1000)}`);
  if (!said.length) return null;
  return <ul class="small">{said.map((one) => <li key={one}>{one}</li>)}</ul>;
}

function Inside({ tree, lines, onChoose }: { tree: Tree; lines: readonly number[]; onChoose: (at: number) => void }) {
  if (!lines.length) return null;
  return (
    <>
      <h3>What happened in it</h3>
      <ul class="small">
        {lines.slice(0, LISTED).map((at) => {
          const line = tree.lines[at];
          return line ? (
            <li key={at}>
              <button onClick={() => onChoose(at)}>{titleOf(line)}</button> <span class="quiet">at {duration(line.offset_ms)}</span>
            </li>
          ) : null;
        })}
        {lines.length > LISTED && <li class="quiet">and {lines.length - LISTED} more</li>}
      </ul>
    </>
  );
}

function LinksHere({ trace, line }: { trace: Trace; line: Line }) {
  if (line.kind !== "span") return null;
  const of = (links: readonly Linked[]) => links.filter((one) => one.own_span_id === line.span_id);
  const from = of(trace.links?.from ?? []);
  const to = of(trace.links?.to ?? []);
  if (!from.length && !to.length) return null;
  return (
    <>
      <h3>Links</h3>
      <ul class="small">
        {[["to", from] as const, ["from", to] as const].map(([way, links]) =>
          links.slice(0, LINKS).map((one) => (
            <li key={way + one.trace_id + one.span_id}>
              {way} <TraceLink id={one.trace_id} span={one.span_id} /> {one.name ?? one.note ?? ""}{" "}
              {one.duration_ms !== undefined && duration(one.duration_ms)}
            </li>
          )),
        )}
        {Math.max(from.length, to.length) > LINKS && (
          <li class="quiet">and {Math.max(0, from.length - LINKS) + Math.max(0, to.length - LINKS)} more</li>
        )}
      </ul>
    </>
  );
}

function TraceLink({ id, span }: { id: string; span?: string }) {
  return <a class="mono" {...linkTo({ view: "trace", id, ...(span ? { span } : {}) })}>{id.slice(0, 8)}…</a>;
}

/** What happened in a span itself: its events, links and log lines. */
function below(tree: Tree, at: number): number[] {
  const inside: number[] = [];
  for (let child = at + 1; child < (tree.ends[at] ?? 0); child = tree.ends[child] ?? child + 1) {
    const kind = tree.lines[child]?.kind;
    if (kind === "event" || kind === "link") inside.push(child);
  }
  return inside;
}

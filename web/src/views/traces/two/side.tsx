// One of two compared traces: its spans, with what differs marked in the gutter.

import { useEffect, useRef } from "preact/hooks";
import { linkTo } from "../../../address";
import { duration } from "../../../look/units";
import { titleOf } from "../tree";
import type { Line, Trace } from "../trace_answer";
import { indents, reveal, ROW_PX, useSeen } from "../use_seen";

interface Props {
  trace: Trace;
  label: string;
  marks: ReadonlyMap<string, string>;
  /** The span that one looks at. */
  told: string | null;
}

export function Side({ trace, label, marks, told }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const seen = useSeen(box);
  const lines = trace.lines.filter((line) => line.kind === "span" || line.kind === "missing");
  const place = told === null ? -1 : lines.findIndex((line) => line.span_id === told);
  useEffect(() => reveal(box.current, place), [place]);
  const drawn = lines.slice(seen.first, seen.first + seen.drawn);
  const left = indents(drawn.map((line) => line.depth));
  const whole = Math.max(trace.duration_ms ?? 0, 1e-9);
  return (
    <section>
      <h2>
        {label} <a class="mono" {...linkTo({ view: "trace", id: trace.trace_id })}>{trace.trace_id.slice(0, 12)}…</a>{" "}
        <span class="small quiet">
          {duration(trace.duration_ms ?? 0)} · {lines.length} spans · {trace.errors ? <span class="error">✕ {trace.errors}</span> : "no errors"}
        </span>
      </h2>
      <div class="side" ref={box} tabIndex={0} role="region" aria-label={`spans of ${label}`}>
        <div style={{ height: `${lines.length * ROW_PX}px`, position: "relative" }}>
          {drawn.map((line, at) => (
            <div key={line.span_id + at} class={line.span_id === told ? "line told" : "line"} style={{ top: `${(seen.first + at) * ROW_PX}px` }}>
              <span class="gutter">{marks.get(line.span_id) ?? ""}</span>
              <span class="grow" style={{ paddingLeft: `${left[at] ?? 0}px` }}>
                <a class={line.error ? "error" : ""} title={titleOf(line)} {...linkTo({ view: "trace", id: trace.trace_id, span: line.span_id })}>
                  {line.error ? "✕ " : ""}
                  {titleOf(line)}
                </a>{" "}
                <span class="quiet small">{line.service ?? ""}</span>
              </span>
              <span class="time" aria-hidden="true"><span style={placeOf(line, whole)} /></span>
              <span class="number quiet small took">{line.duration_ms === null ? (line.open?.how ?? "–") : duration(line.duration_ms)}</span>
            </div>
          ))}
        </div>
      </div>
    </section>
  );
}

function placeOf(line: Line, whole: number) {
  const until = line.duration_ms ?? whole - line.offset_ms;
  return { left: `${(100 * line.offset_ms) / whole}%`, width: `max(1px, ${(100 * until) / whole}%)` };
}

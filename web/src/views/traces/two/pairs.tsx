// Two traces beside each other, row by row: what differs is marked in the gutter of its side.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { linkTo } from "../../../address";
import { duration } from "../../../look/units";
import { titleOf } from "../tree";
import type { Line, Trace } from "../trace_answer";
import { indents, reveal, ROW_PX, useSeen } from "../use_seen";
import { aligned, type Pair } from "./aligned";

interface Props {
  here: Trace;
  there: Trace;
  /** What the comparison says of a span, by its id. */
  marks: { here: ReadonlyMap<string, string>; there: ReadonlyMap<string, string> };
  /** The span that one looks at. */
  told: string | null;
}

export function Pairs({ here, there, marks, told }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const seen = useSeen(box);
  const rows = useMemo(() => aligned(here.lines, there.lines), [here, there]);
  const place = told === null ? -1 : rows.findIndex((row) => row.here?.span_id === told || row.there?.span_id === told);
  useEffect(() => reveal(box.current, place), [place]);
  const drawn = rows.slice(seen.first, seen.first + seen.drawn);
  const left = indents(drawn.map((row) => (row.here ?? row.there)?.depth ?? 0));
  return (
    <div class="trace-two block">
      <div class="heads">
        <Head trace={here} label="This trace" />
        <Head trace={there} label="The other" />
      </div>
      <div class="pairs" ref={box} tabIndex={0} role="region" aria-label="the spans of both traces, row by row">
        <div style={{ height: `${rows.length * ROW_PX}px`, position: "relative" }}>
          {drawn.map((row, at) => {
            const common = { left: left[at] ?? 0 };
            return (
              <div
                key={seen.first + at}
                class={seen.first + at === place ? "pair told" : "pair"}
                style={{ top: `${(seen.first + at) * ROW_PX}px` }}
              >
                <Cell {...common} trace={here} line={row.here} mark={marks.here.get(row.here?.span_id ?? "") ?? onlyHere(row)} />
                <Cell {...common} trace={there} line={row.there} mark={marks.there.get(row.there?.span_id ?? "") ?? onlyThere(row)} />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function onlyHere({ there, again }: Pair): string {
  return there ? "" : again ? "↻ repeated" : "+ added";
}

function onlyThere({ here, again }: Pair): string {
  return here ? "" : again ? "− once more" : "− missing";
}

function Head({ trace, label }: { trace: Trace; label: string }) {
  const spans = trace.lines.filter((line) => line.kind === "span" || line.kind === "missing").length;
  return (
    <h2>
      {label} <a class="mono" {...linkTo({ view: "trace", id: trace.trace_id })}>{trace.trace_id.slice(0, 12)}…</a>{" "}
      <span class="small quiet">
        {duration(trace.duration_ms ?? 0)} · {spans} spans · {trace.errors ? <span class="error">✕ {trace.errors}</span> : "no errors"}
      </span>
    </h2>
  );
}

interface CellProps {
  trace: Trace;
  line: Line | null;
  mark: string;
  left: number;
}

function Cell({ trace, line, mark, left }: CellProps) {
  if (!line) return <span class="cell absent" />;
  const whole = Math.max(trace.duration_ms ?? 0, 1e-9);
  const title = titleOf(line);
  return (
    <span class={mark ? "cell marked" : "cell"}>
      <span class="gutter">{mark}</span>
      <span class="grow" style={{ paddingLeft: `${left}px` }}>
        <a class={line.error ? "error" : ""} title={title} {...linkTo({ view: "trace", id: trace.trace_id, span: line.span_id })}>
          {line.error ? "✕ " : ""}
          {title}
        </a>{" "}
        <span class="quiet small service">{line.service ?? ""}</span>
      </span>
      <span class="time" aria-hidden="true"><span style={placeOf(line, whole)} /></span>
      <span class="number quiet small took">{line.duration_ms === null ? (line.open?.how ?? "–") : duration(line.duration_ms)}</span>
    </span>
  );
}

function placeOf(line: Line, whole: number) {
  const until = line.duration_ms ?? whole - line.offset_ms;
  return { left: `${(100 * line.offset_ms) / whole}%`, width: `max(1px, ${(100 * until) / whole}%)` };
}

// The rows of a trace: only those that one sees are drawn, whatever the number of spans.

import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { SeriesLook } from "../../../look/palette";
import { duration } from "../../../look/units";
import type { Coverage } from "../../../api/types";
import { coverOf } from "../../query/graphs/over/cover";
import type { Row, Tree } from "../tree";
import { indents, reveal, ROW_PX, useSeen } from "../use_seen";
import type { Span } from "./bar";
import { SpanRow } from "./row";

interface Props {
  tree: Tree;
  rows: readonly Row[];
  shown: Span;
  ends: number;
  looks: ReadonlyMap<string, SeriesLook>;
  collapsed: ReadonlySet<number>;
  chosen: number | null;
  hits: ReadonlySet<number>;
  onChoose: (at: number) => void;
  onToggle: (row: Row, open?: boolean) => void;
  /** No span is chosen any more. */
  onClose: () => void;
}

export function Waterfall({ tree, rows, shown, ends, looks, collapsed, chosen, hits, onChoose, onToggle, onClose }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const seen = useSeen(box);
  const place = useMemo(
    () => (chosen === null ? -1 : rows.findIndex((row) => chosen >= row.at && chosen < row.at + row.count)),
    [rows, chosen],
  );
  useEffect(() => reveal(box.current, place), [place]);
  const drawn = rows.slice(seen.first, seen.first + seen.drawn);
  const left = indents(drawn.map((row) => tree.lines[row.at]?.depth ?? 0));
  // Gestures of rows that were drawn earlier mean what they would mean now.
  const now = useRef({ onChoose, onToggle });
  now.current = { onChoose, onToggle };
  const kept = useMemo(() => {
    const look = (row: Row) => looks.get(tree.lines[row.at]?.service ?? "");
    return new KeptRows((row, at, indent) => (
      <SpanRow
        key={row.at}
        {...{ tree, row, at, shown, ends }}
        left={indent}
        look={look(row)}
        open={isOpen(tree, row, collapsed)}
        chosen={at === place}
        hit={hits.has(row.at)}
        onChoose={(line) => now.current.onChoose(line)}
        onToggle={(one) => now.current.onToggle(one)}
      />
    ));
  }, [tree, rows, shown, ends, looks, collapsed, place, hits]);
  kept.begin();
  const move = (to: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))];
    if (row) onChoose(row.at);
  };
  const press = (event: KeyboardEvent) => {
    const row = rows[place];
    const page = Math.max(1, seen.fit - 1);
    const steps: Record<string, number> = { ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + page, PageUp: place - page, Home: 0, End: rows.length - 1 };
    const to = steps[event.key];
    if (to !== undefined) move(to);
    else if (chosen !== null && event.key === "Escape") onClose();
    else if (row && event.key === "ArrowRight") onToggle(row, true);
    else if (row && event.key === "ArrowLeft") {
      const parent = tree.parents[row.at] ?? -1;
      if (isOpen(tree, row, collapsed)) onToggle(row, false);
      else if (parent >= 0) onChoose(parent);
    } else return;
    event.preventDefault();
  };
  return (
    <div
      class="trace-rows"
      ref={box}
      role="tree"
      aria-label="spans"
      tabIndex={0}
      aria-activedescendant={place < 0 ? undefined : `line-${rows[place]?.at}`}
      onKeyDown={press}
    >
      <div style={{ height: `${rows.length * ROW_PX}px` }} role="none">
        {drawn.map((row, index) => kept.get(row, seen.first + index, left[index] ?? 0))}
      </div>
    </div>
  );
}

/** Rows as they were drawn: while one scrolls, only those that come into sight are drawn anew. */
class KeptRows {
  private rows = new Map<number, { left: number; drawn: VNode }>();
  private before = this.rows;

  constructor(private readonly draw: (row: Row, at: number, left: number) => VNode) {}

  /** Rows are drawn once more: those that are not asked for until the next time are let go. */
  begin(): void {
    this.before = this.rows;
    this.rows = new Map();
  }

  get(row: Row, at: number, left: number): VNode {
    const old = this.before.get(at);
    const kept = old?.left === left ? old : { left, drawn: this.draw(row, at, left) };
    this.rows.set(at, kept);
    return kept.drawn;
  }
}

function isOpen(tree: Tree, row: Row, collapsed: ReadonlySet<number>): boolean {
  return row.count === 1 && (tree.ends[row.at] ?? 0) > row.at + 1 && !collapsed.has(row.at);
}

/** The head of the rows: what the columns are, the times of the axis, and whether all was asked. */
export function WaterfallHead({ shown, coverage }: { shown: Span; coverage: Coverage }) {
  const parts = [0, 0.25, 0.5];
  const missing = coverOf(coverage, { start: 0, end: 0, step: 1 }).missing;
  return (
    <div class="trace-head small quiet" aria-hidden="true">
      <span class="trace-name">name</span>
      <span class="trace-service">service</span>
      <span class="trace-track">
        {parts.map((part) => (
          <span key={part} style={{ left: `${part * 100}%` }}>{duration(shown.from + part * (shown.to - shown.from))}</span>
        ))}
        <span style={{ right: "0" }}>{duration(shown.to)}</span>
        {missing !== null && <span class="trace-cover" title={`Spans may be missing. ${missing}`} />}
      </span>
    </div>
  );
}

// The rows of a trace: only those that one sees are drawn, whatever the number of spans.

import { useEffect, useRef } from "preact/hooks";
import type { SeriesLook } from "../../../look/palette";
import { duration } from "../../../look/units";
import { titleOf, type Row, type Tree } from "../tree";
import { indents, reveal, ROW_PX, useSeen } from "../use_seen";
import { Bar, type Span } from "./bar";

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
}

export function Waterfall({ tree, rows, shown, ends, looks, collapsed, chosen, hits, onChoose, onToggle }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const seen = useSeen(box);
  const place = chosen === null ? -1 : rows.findIndex((row) => chosen >= row.at && chosen < row.at + row.count);
  useEffect(() => reveal(box.current, place), [place]);
  const drawn = rows.slice(seen.first, seen.first + seen.drawn);
  const left = indents(drawn.map((row) => tree.lines[row.at]?.depth ?? 0));
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
        {drawn.map((row, index) => {
          const line = tree.lines[row.at];
          if (!line) return null;
          const has = (tree.ends[row.at] ?? 0) > row.at + 1 || row.count > 1;
          const open = isOpen(tree, row, collapsed);
          const classes = ["trace-row"];
          if (seen.first + index === place) classes.push("chosen");
          if (hits.has(row.at)) classes.push("hit");
          return (
            <div
              key={row.at}
              id={`line-${row.at}`}
              class={classes.join(" ")}
              role="treeitem"
              aria-level={line.depth + 1}
              aria-selected={seen.first + index === place}
              aria-expanded={has ? open : undefined}
              style={{ top: `${(seen.first + index) * ROW_PX}px` }}
              onClick={() => onChoose(row.at)}
            >
              <span class="trace-name" style={{ paddingLeft: `${left[index] ?? 0}px` }}>
                <span
                  class="trace-toggle"
                  aria-hidden="true"
                  onClick={(event) => {
                    event.stopPropagation();
                    if (has) onToggle(row);
                  }}
                >
                  {has ? (open ? "▾" : "▸") : line.kind === "event" ? "◆" : line.kind === "link" ? "↗" : ""}
                </span>
                <span class={line.error ? "error" : line.kind === "span" ? "" : "quiet"} title={titleOf(line)}>
                  {line.error ? "✕ " : ""}
                  {titleOf(line)}
                </span>
                {row.count > 1 && <b class="quiet">×{row.count}</b>}
                {has && !open && row.count === 1 && <span class="quiet small">+{line.spans_below ?? 0}</span>}
                {line.open && <span class="quiet small">({line.open.how}, not finished)</span>}
              </span>
              <span class="trace-service quiet">{line.service ?? ""}</span>
              <span class="trace-track">
                <Bar tree={tree} row={row} shown={shown} ends={ends} look={looks.get(line.service ?? "")} />
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

function isOpen(tree: Tree, row: Row, collapsed: ReadonlySet<number>): boolean {
  return row.count === 1 && (tree.ends[row.at] ?? 0) > row.at + 1 && !collapsed.has(row.at);
}

/** The head of the rows: what the columns are, and the times of the axis. */
export function WaterfallHead({ shown }: { shown: Span }) {
  const parts = [0, 0.25, 0.5];
  return (
    <div class="trace-head small quiet" aria-hidden="true">
      <span class="trace-name">name</span>
      <span class="trace-service">service</span>
      <span class="trace-track">
        {parts.map((part) => (
          <span key={part} style={{ left: `${part * 100}%` }}>{duration(shown.from + part * (shown.to - shown.from))}</span>
        ))}
        <span style={{ right: "0" }}>{duration(shown.to)}</span>
      </span>
    </div>
  );
}

// One row of the waterfall: the span's name in its depth, its service, its bar.

import type { SeriesLook } from "../../../look/palette";
import { titleOf, type Row, type Tree } from "../tree";
import { ROW_PX } from "../use_seen";
import { Bar, type Span } from "./bar";

interface Props {
  tree: Tree;
  row: Row;
  /** Where among the rows it stands. */
  at: number;
  /** px by which its name is indented. */
  left: number;
  shown: Span;
  ends: number;
  look: SeriesLook | undefined;
  open: boolean;
  chosen: boolean;
  hit: boolean;
  onChoose: (at: number) => void;
  onToggle: (row: Row) => void;
}

export function SpanRow({ tree, row, at, left, shown, ends, look, open, chosen, hit, onChoose, onToggle }: Props) {
  const line = tree.lines[row.at];
  if (!line) return null;
  const has = (tree.ends[row.at] ?? 0) > row.at + 1 || row.count > 1;
  const title = titleOf(line);
  return (
    <div
      id={`line-${row.at}`}
      class={`trace-row${chosen ? " chosen" : ""}${hit ? " hit" : ""}`}
      role="treeitem"
      aria-level={line.depth + 1}
      aria-selected={chosen}
      aria-expanded={has ? open : undefined}
      style={{ top: `${at * ROW_PX}px` }}
      onClick={() => onChoose(row.at)}
    >
      <span class="trace-name" style={{ paddingLeft: `${left}px` }}>
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
        <span class={line.error ? "error" : line.kind === "span" ? "" : "quiet"} title={title}>
          {line.error ? "✕ " : ""}
          {title}
        </span>
        {row.count > 1 && <b class="quiet">×{row.count}</b>}
        {has && !open && row.count === 1 && <span class="quiet small">+{line.spans_below ?? 0}</span>}
        {line.open && <span class="quiet small">({line.open.how}, not finished)</span>}
      </span>
      <span class="trace-service quiet">{line.service ?? ""}</span>
      <span class="trace-track">
        <Bar tree={tree} row={row} shown={shown} ends={ends} look={look} />
      </span>
    </div>
  );
}

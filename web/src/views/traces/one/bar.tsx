// A span on the time axis: self time dark, what waits for children pale, unfinished ones hatched.

import type { SeriesLook } from "../../../look/palette";
import { duration } from "../../../look/units";
import { selfParts, type Row, type Tree } from "../tree";

/** The part of the trace that is shown, in ms from its start. */
export interface Span {
  from: number;
  to: number;
}

interface Props {
  tree: Tree;
  row: Row;
  shown: Span;
  /** ms from the trace's start to its end, up to where unfinished spans are drawn. */
  ends: number;
  look: SeriesLook | undefined;
}

const PARTS = 40;
const LABEL_PART = 78; // of the width: further right a label stands left of its bar

export function Bar({ tree, row, shown, ends, look }: Props) {
  const line = tree.lines[row.at];
  if (!line) return null;
  const colour = look?.colour ?? "var(--missing)";
  const at = (ms: number) => (100 * (ms - shown.from)) / Math.max(shown.to - shown.from, 1e-9);
  if (line.kind === "event" || line.kind === "link") {
    const left = at(line.offset_ms);
    if (left < 0 || left > 100) return null;
    const mark = line.kind === "link" ? "↗" : line.error ? "✕" : "◆";
    return <span class={line.error ? "trace-dot error" : "trace-dot"} style={{ left: `${left}%` }}>{mark}</span>;
  }
  const last = tree.lines[row.at + row.count - 1] ?? line;
  const open = line.duration_ms === null;
  const until = open ? ends : row.count > 1 ? last.offset_ms + (last.duration_ms ?? 0) : line.offset_ms + (line.duration_ms ?? 0);
  const left = Math.max(0, at(line.offset_ms));
  const right = Math.min(100, at(until));
  if (right < 0 || left > 100) return null;
  const width = Math.max(right - left, 0);
  const background = open
    ? `repeating-linear-gradient(135deg, ${colour} 0 2px, transparent 2px 6px)`
    : row.count > 1
      ? painted(piecesOf(tree, row), left, width, at, colour)
      : painted(selfParts(tree, row.at), left, width, at, colour);
  const text = open ? `${line.open?.how ?? "not finished"} →` : row.count > 1 ? `${row.count} in ${duration(until - line.offset_ms)}` : duration(line.duration_ms ?? 0);
  const place = right < LABEL_PART ? { left: `calc(${Math.max(right, 0)}% + 6px)` } : left > 15 ? { right: `calc(${100 - left}% + 6px)` } : { left: "6px" };
  const inside = right >= LABEL_PART && left <= 15;
  return (
    <>
      <span
        class={`trace-bar${line.error ? " failed" : ""}${open ? " open" : ""}`}
        style={{ left: `${left}%`, width: `max(2px, ${width}%)`, background, borderColor: open ? colour : undefined }}
      />
      <span class={inside ? "trace-took inside" : "trace-took"} style={place}>
        {line.error ? "✕ " : ""}
        {text}
      </span>
    </>
  );
}

function piecesOf(tree: Tree, row: Row): [number, number][] {
  const lines = tree.lines.slice(row.at, row.at + row.count);
  return lines.map((one) => [one.offset_ms, one.offset_ms + (one.duration_ms ?? 0)]);
}

/** A bar's background: dark where the parts are. Parts closer than one sees are drawn as one. */
function painted(parts: readonly (readonly [number, number])[], left: number, width: number, at: (ms: number) => number, colour: string): string {
  const pale = `color-mix(in srgb, ${colour} 32%, var(--paper))`;
  if (width <= 0) return colour;
  const near = 100 / PARTS / 4;
  const stops: [number, number][] = [];
  for (const [from, to] of parts) {
    const begin = Math.max(0, (100 * (at(from) - left)) / width);
    const end = Math.min(100, (100 * (at(to) - left)) / width);
    if (end < 0 || begin > 100) continue;
    const before = stops[stops.length - 1];
    if (before && begin - before[1] < near) before[1] = Math.max(before[1], end);
    else if (stops.length < PARTS) stops.push([begin, end]);
  }
  const said = stops.map(([begin, end]) => `${pale} ${begin}%, ${colour} ${begin}% ${end}%, ${pale} ${end}%`);
  return said.length ? `linear-gradient(90deg, ${said.join(", ")})` : pale;
}

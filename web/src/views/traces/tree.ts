// The lines of a trace as rows: what is collapsed or folded is one row, and where each subtree ends.

import type { Line } from "./trace_answer";

/** Equal siblings without children become one row from this many on. */
const FOLD_FROM = 3;

export interface Row {
  /** The line, of a fold the first of its lines. */
  at: number;
  /** Of how many equal siblings it stands; 1 for a line of its own. */
  count: number;
}

export interface Tree {
  lines: readonly Line[];
  /** For each line, the first line that is not below it. */
  ends: Int32Array;
  /** For each line, the line above it; -1 for a root. */
  parents: Int32Array;
  /** What stands in an address for each line, and the line of each. */
  keys: readonly string[];
  byKey: ReadonlyMap<string, number>;
}

export function treeOf(lines: readonly Line[]): Tree {
  const ends = new Int32Array(lines.length).fill(lines.length);
  const parents = new Int32Array(lines.length).fill(-1);
  const above: number[] = [];
  const keys: string[] = [];
  const byKey = new Map<string, number>();
  lines.forEach((line, at) => {
    while (above.length > 0) {
      const last = above[above.length - 1] ?? 0;
      if ((lines[last]?.depth ?? 0) < line.depth) break;
      ends[last] = at;
      above.pop();
    }
    parents[at] = above[above.length - 1] ?? -1;
    above.push(at);
    const own = line.kind === "span" || line.kind === "missing";
    let key = own ? line.span_id : `${line.kind}:${line.span_id}:${line.start}`;
    while (byKey.has(key)) key += "+";
    keys.push(key);
    byKey.set(key, at);
  });
  return { lines, ends, parents, keys, byKey };
}

export interface Shown {
  collapsed: ReadonlySet<number>;
  /** Folds that were opened, by their first line. */
  opened: ReadonlySet<number>;
  /** Whether what happened in spans has rows. */
  events: boolean;
}

/** The rows that are to be shown, in order. */
export function rowsOf({ lines, ends }: Tree, { collapsed, opened, events }: Shown): Row[] {
  const rows: Row[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    if (!line) break;
    const happened = line.kind === "event" || line.kind === "link";
    if (happened && !events) {
      at = ends[at] ?? at + 1;
      continue;
    }
    const until = opened.has(at) ? at + 1 : foldEnd(lines, ends, at);
    if (until - at >= FOLD_FROM) {
      rows.push({ at, count: until - at });
      at = until;
      continue;
    }
    // a run that was opened, or is too short, is not looked at again from its second line on
    const separate = opened.has(at) ? foldEnd(lines, ends, at) : until;
    rows.push({ at, count: 1 });
    if (separate > at + 1) for (let next = at + 1; next < separate; next += 1) rows.push({ at: next, count: 1 });
    at = separate > at + 1 ? separate : collapsed.has(at) ? (ends[at] ?? at + 1) : at + 1;
  }
  return rows;
}

/** The end of the run of equal siblings that begins at a line. */
function foldEnd(lines: readonly Line[], ends: Int32Array, at: number): number {
  const first = lines[at];
  if (!first || !isPlain(first, ends, at)) return at + 1;
  let until = at + 1;
  for (let next = lines[until]; next && until < lines.length; next = lines[until]) {
    const equal =
      next.depth === first.depth &&
      next.name === first.name &&
      next.service === first.service &&
      isPlain(next, ends, until);
    if (!equal) break;
    until += 1;
  }
  return until;
}

function isPlain(line: Line, ends: Int32Array, at: number): boolean {
  return line.kind === "span" && !line.error && !line.open && !line.marks && ends[at] === at + 1;
}

type Parts = readonly (readonly [number, number])[];

const known = new WeakMap<Tree, Map<number, Parts>>();

/** The parts of a span in which no child of it ran, as pairs of ms from the trace's start. */
export function selfParts(tree: Tree, at: number): Parts {
  // kept, because rows are drawn again at each step of scrolling, and a span may have 10,000 children
  const kept = known.get(tree) ?? new Map<number, Parts>();
  known.set(tree, kept);
  const parts = kept.get(at) ?? computeParts(tree, at);
  kept.set(at, parts);
  return parts;
}

function computeParts({ lines, ends }: Tree, at: number): Parts {
  const line = lines[at];
  if (!line || line.duration_ms === null) return [];
  const until = line.offset_ms + line.duration_ms;
  const children: [number, number][] = [];
  for (let child = at + 1; child < (ends[at] ?? 0); child = ends[child] ?? child + 1) {
    const one = lines[child];
    if (one?.kind === "span" && one.duration_ms) children.push([one.offset_ms, one.offset_ms + one.duration_ms]);
  }
  children.sort((a, b) => a[0] - b[0]);
  const parts: [number, number][] = [];
  let from = line.offset_ms;
  for (const [begin, end] of children) {
    if (begin > from) parts.push([from, Math.min(begin, until)]);
    from = Math.max(from, end);
    if (from >= until) break;
  }
  if (from < until) parts.push([from, until]);
  return parts;
}

/** Lines whose name, service, text or id has the word. */
export function found({ lines }: Tree, word: string): number[] {
  const wanted = word.trim().toLowerCase();
  if (!wanted) return [];
  const hits: number[] = [];
  lines.forEach((line, at) => {
    const texts = [line.name, line.service, line.message, line.span_id, line.span_kind];
    if (texts.some((text) => text?.toLowerCase().includes(wanted))) hits.push(at);
  });
  return hits;
}

/** What to call a line. */
export function titleOf(line: Line): string {
  if (line.kind === "missing") return `(missing span ${line.span_id})`;
  if (line.kind === "link") return `link to ${line.link?.trace_id ?? "a trace"}`;
  if (line.kind === "event" && line.message) return line.name ? `${line.name}: ${line.message}` : line.message;
  return line.name || "(without a name)";
}

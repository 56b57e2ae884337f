// Two traces row by row: what is the same step in both stands in one row, what only one has stands
// beside an empty place.

import { treeOf, type Tree } from "../tree";
import type { Line } from "../trace_answer";

export interface Pair {
  here: Line | null;
  there: Line | null;
  /** Of a step that only this trace has: whether the other ran it too, less often. */
  again: boolean;
}

/** Steps of one span that are compared with each other, as a product; more are paired in one pass. */
const COMPARED_MOST = 1_000_000;

type Places = readonly [number, number, boolean];

/** The rows of two traces' spans. Every span stands in one row, in the order of its trace. */
export function aligned(one: readonly Line[], other: readonly Line[]): Pair[] {
  const [here, there] = [treeOf(spansOf(one)), treeOf(spansOf(other))];
  const rows: Pair[] = [];
  const waiting: Places[] = [];
  const push = (some: readonly Places[]) => {
    for (let at = some.length - 1; at >= 0; at -= 1) waiting.push(some[at] ?? [-1, -1, false]);
  };
  push(paired(here, roots(here), there, roots(there)));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [a, b, again] = next;
    rows.push({ here: here.lines[a] ?? null, there: there.lines[b] ?? null, again });
    push(paired(here, a < 0 ? [] : below(here, a), there, b < 0 ? [] : below(there, b)));
  }
  return rows;
}

const spansOf = (lines: readonly Line[]) => lines.filter((line) => line.kind === "span" || line.kind === "missing");
const roots = (tree: Tree) => among(tree, 0, tree.lines.length);
const below = (tree: Tree, at: number) => among(tree, at + 1, tree.ends[at] ?? 0);

function among(tree: Tree, from: number, until: number): number[] {
  const found: number[] = [];
  for (let at = from; at < until; at = tree.ends[at] ?? at + 1) found.push(at);
  return found;
}

function stepOf(line: Line | undefined): string {
  return line ? `${line.name ?? ""}\u0000${line.service ?? ""}\u0000${line.span_kind ?? ""}` : "";
}

function paired(here: Tree, ones: readonly number[], there: Tree, others: readonly number[]): Places[] {
  const a = ones.map((at) => stepOf(here.lines[at]));
  const b = others.map((at) => stepOf(there.lines[at]));
  const same = a.length * b.length > COMPARED_MOST ? inOnePass(a, b) : longest(a, b);
  const inBoth = new Set(same.map(([at]) => a[at]));
  const found: Places[] = [];
  let [i, j] = [0, 0];
  for (const [untilA, untilB] of [...same, [a.length, b.length] as const]) {
    for (; i < untilA; i += 1) found.push([ones[i] ?? -1, -1, inBoth.has(a[i])]);
    for (; j < untilB; j += 1) found.push([-1, others[j] ?? -1, inBoth.has(b[j])]);
    if (i < a.length && j < b.length) found.push([ones[i] ?? -1, others[j] ?? -1, false]);
    [i, j] = [i + 1, j + 1];
  }
  return found;
}

/** The most steps that both have in one order, as places in each. */
function longest(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  const wide = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * wide);
  const of = (i: number, j: number) => lengths[i * wide + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      lengths[i * wide + j] = a[i] === b[j] ? of(i + 1, j + 1) + 1 : Math.max(of(i + 1, j), of(i, j + 1));
    }
  }
  const found: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) found.push([i++, j++]);
    else if (of(i + 1, j) >= of(i, j + 1)) i += 1;
    else j += 1;
  }
  return found;
}

/** Each step with the next one of its kind. */
function inOnePass(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  const places = new Map<string, number[]>();
  for (let j = b.length - 1; j >= 0; j -= 1) {
    const step = b[j] ?? "";
    const known = places.get(step);
    if (known) known.push(j);
    else places.set(step, [j]);
  }
  const found: (readonly [number, number])[] = [];
  let from = 0;
  a.forEach((step, i) => {
    const known = places.get(step) ?? [];
    while ((known.at(-1) ?? from) < from) known.pop();
    const j = known.pop();
    if (j === undefined) return;
    found.push([i, j]);
    from = j + 1;
  });
  return found;
}

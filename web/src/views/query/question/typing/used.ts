// Which fields were asked about lately in this browser, so that completion offers them first.

import type { Filter, Query } from "../../../../api/types";

const STORED = "bellwether.used_fields";
const LISTS_MAX = 40; // of the datasets that were asked last
const FIELDS_MAX = 100;
/** A use counts half after so long: what mattered last week gives way to what matters today. */
const HALF_LIFE_MS = 3 * 86_400_000;

/** Name, weight, and when that weight was true (unix ms). */
type Use = [name: string, weight: number, at: number];
type Uses = Record<string, Use[]>;

/** The names that a question has, each once. */
export function namesIn(spec: Query): string[] {
  const found = new Set<string>(spec.breakdowns ?? []);
  const look = (some: readonly Filter[] | undefined) => {
    for (const one of some ?? []) {
      if ("filters" in one) look(one.filters);
      else if (one.column !== undefined) found.add(one.column);
    }
  };
  for (const one of spec.calculations ?? []) {
    if (one.column !== undefined && one.column !== null) found.add(one.column);
    look(one.filters);
  }
  look(spec.filters);
  if (spec.per !== undefined) found.add(spec.per);
  for (const one of spec.calculated_fields ?? []) found.delete(one.name);
  return [...found];
}

/** Fields of calculations are others than those of conditions and groups: each has its own list. */
function measuredKey(dataset: string): string {
  return `${dataset}()`;
}

/** Remember that a dataset was asked so. */
export function remember(dataset: string, spec: Query, now = Date.now()): void {
  const measured = (spec.calculations ?? []).flatMap((one) => (typeof one.column === "string" ? [one.column] : []));
  let all = stored();
  for (const [key, names] of [[dataset, namesIn(spec)], [measuredKey(dataset), measured]] as const) {
    const uses = new Map((all[key] ?? []).map((one) => [one[0], one]));
    for (const name of names) uses.set(name, [name, weightOf(uses.get(name), now) + 1, now]);
    const kept = [...uses.values()].sort((one, other) => weightOf(other, now) - weightOf(one, now)).slice(0, FIELDS_MAX);
    const { [key]: _, ...others } = all;
    all = Object.fromEntries([[key, kept], ...Object.entries(others).slice(0, LISTS_MAX - 1)]);
  }
  try {
    localStorage.setItem(STORED, JSON.stringify(all));
  } catch {
    // the browser keeps nothing: completion goes by how common fields are
  }
}

/** How much each field was used: more for often and for lately, above 0. measured: in calculations. */
export function usesOf(dataset: string, measured: boolean, now = Date.now()): ReadonlyMap<string, number> {
  const uses = stored()[measured ? measuredKey(dataset) : dataset] ?? [];
  return new Map(uses.map((one) => [one[0], weightOf(one, now)]));
}

function weightOf(use: Use | undefined, now: number): number {
  return use ? use[1] * 0.5 ** (Math.max(0, now - use[2]) / HALF_LIFE_MS) : 0;
}

function stored(): Uses {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(STORED) ?? "{}");
    return typeof read === "object" && read !== null ? (read as Uses) : {};
  } catch {
    return {};
  }
}

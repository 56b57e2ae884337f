// An answer as rows need it.

import type { Query } from "../../../api/types";
import type { Result } from "../use_result";
import { keyOf, type Graphed, type Line, type Row } from "../graphs/answer";

export interface Tabled {
  /** Names of the breakdowns. */
  groups: readonly string[];
  /** Keys of the values. */
  labels: readonly string[];
  rows: readonly Row[];
  total: Row | undefined;
  other: Row | undefined;
  otherGroups: number;
  /** Rows of the compared range, by the key of their group. */
  before: ReadonlyMap<string, Row>;
  onlyNow: ReadonlySet<string>;
  onlyBefore: readonly Row[];
  lines: ReadonlyMap<string, ReadonlyMap<string, Line>>;
  /** Labels whose values are bins. */
  heats: ReadonlySet<string>;
}

interface Data {
  results?: { data: Row }[];
  total_by_aggregate?: Row;
  other_by_aggregate?: Row;
}

export function readTable(result: Result, spec: Query, graphed: Graphed | null): Tabled {
  const data = (result.data ?? {}) as Data;
  const groups = spec.breakdowns ?? [];
  const rows = (data.results ?? []).map((one) => one.data);
  const first = rows[0] ?? data.total_by_aggregate ?? {};
  const labels = Object.keys(first).filter((name) => !groups.includes(name));
  const counted = (result.groups ?? {}) as { total?: number; returned?: number };
  const earlier = ((result.compare?.data ?? {}) as Data).results ?? [];
  const key = (row: Row) => keyOf(row, groups);
  return {
    groups,
    labels,
    rows,
    total: data.total_by_aggregate,
    other: data.other_by_aggregate,
    otherGroups: Math.max(0, (counted.total ?? 0) - (counted.returned ?? 0)),
    before: new Map(earlier.map((one) => [key(one.data), one.data])),
    onlyNow: new Set((result.compare?.only_now ?? []).map(key)),
    onlyBefore: result.compare?.only_before ?? [],
    lines: graphed?.lines ?? new Map(),
    heats: new Set(labels.filter((label) => Array.isArray(first[label]))),
  };
}

// An answer as rows need it.

import { mixedFields } from "../../../api/mixed";
import type { Query } from "../../../api/types";
import type { Result } from "../use_result";
import { groupOf, keyOf, labelOf, type Graphed, type Group, type Line, type Row } from "../graphs/answer";
import { OTHER, otherGroup, TOTAL } from "../graphs/other";

export interface Tabled {
  /** Names of the breakdowns. */
  groups: readonly string[];
  /** Keys of the values. */
  labels: readonly string[];
  /** Their operators, as far as they have one. */
  ops: ReadonlyMap<string, string>;
  /** Whether an earlier range is compared. */
  compared: boolean;
  rows: readonly Row[];
  /** Breakdowns with values of several types. */
  mixed: ReadonlySet<string>;
  total: Row | undefined;
  other: Row | undefined;
  /** The groups that are not listed; null where all are. */
  otherGroup: Group | null;
  otherGroups: number;
  /** Rows of the compared range, by the key of their group. */
  before: ReadonlyMap<string, Row>;
  /** Total and OTHER of the compared range. */
  beforeSums: ReadonlyMap<string, Row>;
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
  const compared = (result.compare?.data ?? {}) as Data;
  const earlier = compared.results ?? [];
  const sums = [[TOTAL, compared.total_by_aggregate], [OTHER, compared.other_by_aggregate]] as const;
  const key = (row: Row) => keyOf(row, groups);
  const mixed = mixedFields(rows, groups, result.notes);
  const others = Math.max(0, (counted.total ?? 0) - (counted.returned ?? 0));
  return {
    groups,
    labels,
    ops: new Map((spec.calculations ?? []).map((one) => [labelOf(one), one.op])),
    compared: result.compare !== undefined,
    rows,
    mixed,
    total: data.total_by_aggregate,
    other: data.other_by_aggregate,
    otherGroup: others > 0 ? otherGroup(rows.map((row) => groupOf(row, groups, mixed)), others) : null,
    otherGroups: others,
    before: new Map(earlier.map((one) => [key(one.data), one.data])),
    beforeSums: new Map(sums.flatMap(([name, row]) => (row ? [[name, row]] : []))),
    onlyNow: new Set((result.compare?.only_now ?? []).map(key)),
    onlyBefore: result.compare?.only_before ?? [],
    lines: graphed?.lines ?? new Map(),
    heats: new Set(labels.filter((label) => Array.isArray(first[label]))),
  };
}

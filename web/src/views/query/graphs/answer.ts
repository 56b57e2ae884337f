// An answer as graphs need it: steps, groups, and for each calculation the values by group and step.

import { asNumber, writeJson } from "../../../api/exact";
import { mixedFields } from "../../../api/mixed";
import type { Filter, Query } from "../../../api/types";
import { seen } from "../../../look/units";
import type { Result } from "../use_result";
import { conditionsOf } from "./change";
import { otherGroup, TOTAL_GROUP, withOthers } from "./other";
import { columnsOf, NO_SERIES, type Series, type SeriesColumns } from "./series";

export type Row = Record<string, unknown>;

/** Some numbers of a heatmap: from low to high; null is beyond every double. */
export interface Bin {
  low: number | null;
  high: number | null;
  count: number;
}

export interface Group {
  /** What tells it apart, on this screen and the next. */
  key: string;
  /** By breakdown; null where the field is missing. */
  values: Row;
  name: string;
  /** Conditions that mean it, where its values do not tell; null where none can be written. */
  filters?: Filter[] | null;
}

export interface Calculation {
  label: string;
  op: string;
  column: string | null;
  /** Whether its values are bins. */
  heat: boolean;
}

export interface Range {
  /** Unix seconds. */
  start: number;
  end: number;
  step: number;
}

export type Line = (number | null)[];

export interface Graphed {
  range: Range;
  /** Beginnings of the steps, unix seconds. */
  times: readonly number[];
  groups: readonly Group[];
  /** The groups that have no line of their own, together; null where there are none. */
  other: Group | null;
  calculations: readonly Calculation[];
  /** By label and key of a group: a number or null for each step. The total has a line too, and
   * OTHER where values add up. */
  lines: ReadonlyMap<string, ReadonlyMap<string, Line>>;
  /** By label: the bins of each step, over all groups. */
  heats: ReadonlyMap<string, readonly (readonly Bin[])[]>;
  /** The lines of the compared range, at the steps that they stand beside. */
  before: ReadonlyMap<string, ReadonlyMap<string, Line>>;
  offset: number;
}

interface Data {
  results?: { data: Row }[];
  series?: Series;
  total_by_aggregate_series?: Series;
}

/** No more lines than people tell apart, and than a browser draws at once. */
export const LINES_MAX = 100;

export function readAnswer(result: Result, spec: Query): Graphed | null {
  const data: Data = result.data ?? {};
  const range = rangeOf(result.range);
  if (!range || !data.series) return null;
  const breakdowns = spec.breakdowns ?? [];
  const rows = (data.results ?? []).map((row) => row.data);
  const mixed = mixedFields(rows, breakdowns, result.notes);
  const series = columnsOf(data.series, breakdowns);
  const totals = breakdowns.length ? columnsOf(data.total_by_aggregate_series, []) : NO_SERIES;
  const calculations = calculationsOf(spec, rows[0] ?? firstOf(series), breakdowns);
  const groups = rows.slice(0, LINES_MAX).map((row) => groupOf(row, breakdowns, mixed));
  if (!groups.length && !breakdowns.length) groups.push(groupOf({}, breakdowns));
  const times: number[] = [];
  const first = Math.floor(range.start / range.step) * range.step;
  for (let at = first; at < range.end; at += range.step) times.push(at);
  const place = (time: number) => Math.round((time - first) / range.step);
  const counted = (result.groups ?? {}) as { total?: number };
  const others = breakdowns.length ? Math.max(counted.total ?? 0, rows.length) - groups.length : 0;
  const linesOf = (of: SeriesColumns, all: SeriesColumns, shift: number) => {
    const read = (one: SeriesColumns, some: readonly Group[], names: readonly string[]) =>
      readLines(one, calculations, some, names, times.length, (time) => place(time + shift));
    return withOthers(read(of, groups, breakdowns), read(all, [TOTAL_GROUP], []), calculations, groups, others > 0);
  };
  const offset = result.compare?.offset_s ?? 0;
  const earlier: Data = result.compare?.data ?? {};
  const earlierTotals = breakdowns.length ? columnsOf(earlier.total_by_aggregate_series, []) : NO_SERIES;
  return {
    range,
    times,
    groups,
    other: others > 0 ? otherGroup(groups, others) : null,
    calculations,
    lines: linesOf(series, totals, 0),
    heats: readHeats(totals.times.length ? totals : series, calculations, times.length, place),
    before: linesOf(columnsOf(earlier.series, breakdowns), earlierTotals, offset),
    offset,
  };
}

/** The group of a row; mixed: fields whose values are of several types. */
export function groupOf(row: Row, breakdowns: readonly string[], mixed?: ReadonlySet<string>): Group {
  const values = Object.fromEntries(breakdowns.map((name) => [name, row[name] ?? null]));
  const texts = breakdowns.map((name) => wordOf(values[name]));
  const group = { key: keyOf(row, breakdowns), values, name: texts.join(" · ") };
  const filters = mixed?.size ? conditionsOf(values, mixed) : [];
  return filters.length > breakdowns.length ? { ...group, filters } : group;
}

/** The key of a row's group: 1 and "1" are two. Made for each row of a series, so it is cheap. */
export function keyOf(row: Row, breakdowns: readonly string[]): string {
  let key = "";
  for (const name of breakdowns) {
    const value = row[name] ?? null;
    key += typeof value === "string" ? `"${value}\u0000` : `${writeJson(value)}\u0000`;
  }
  return key;
}

/** A value of a group as text. */
export function wordOf(value: unknown): string {
  if (value === null || value === undefined) return "(missing)";
  return typeof value === "string" ? seen(value) : writeJson(value);
}

function rangeOf(given: unknown): Range | null {
  const { start_time, end_time, granularity } = (given ?? {}) as Record<string, number>;
  if (start_time === undefined || end_time === undefined || !granularity) return null;
  return { start: start_time, end: end_time, step: granularity };
}

/** The key of the values of a calculation. */
export function labelOf({ name, op, column }: { name?: string; op: string; column?: string | null }): string {
  return name ?? (column ? `${op}(${column})` : op);
}

/** The values of the first group at its first step, by label. */
function firstOf(series: SeriesColumns): Row {
  return Object.fromEntries(Object.entries(series.groups[0]?.values ?? {}).map(([label, values]) => [label, values[0]]));
}

function calculationsOf(spec: Query, row: Row, breakdowns: readonly string[]): Calculation[] {
  const asked = new Map((spec.calculations ?? []).map((one) => [labelOf(one), one]));
  return Object.keys(row)
    .filter((label) => !breakdowns.includes(label))
    .map((label) => {
      const one = asked.get(label);
      return { label, op: one?.op ?? "", column: one?.column ?? null, heat: Array.isArray(row[label]) };
    });
}

// Where a group has no events in a step, their number is 0, while a percentile of none is none.
const ZERO = new Set(["COUNT", "COUNT_DISTINCT", "CONCURRENCY"]);

function readLines(
  series: SeriesColumns,
  calculations: readonly Calculation[],
  groups: readonly Group[],
  breakdowns: readonly string[],
  steps: number,
  place: (time: number) => number,
) {
  const lines = new Map<string, Map<string, Line>>();
  if (!series.groups.length) return lines;
  const drawn = calculations.filter((one) => !one.heat);
  for (const { label, op } of drawn) {
    const nothing = ZERO.has(op) ? 0 : null;
    lines.set(label, new Map(groups.map((one) => [one.key, new Array<number | null>(steps).fill(nothing)])));
  }
  const places = series.times.map(place);
  // Without breakdowns there is one line, whatever it is called.
  const alone = breakdowns.length ? undefined : groups[0]?.key;
  for (const group of series.groups) {
    const key = alone ?? keyOf(group.data, breakdowns);
    for (const { label } of drawn) {
      const line = lines.get(label)?.get(key);
      const values = group.values[label];
      if (line && values) fill(line, values, group.steps, places);
    }
  }
  return lines;
}

/** steps: places in `places` of the values; without it, all. */
function fill(line: Line, values: readonly unknown[], steps: readonly number[] | undefined, places: readonly number[]): void {
  for (let at = 0; at < values.length; at += 1) {
    const step = places[steps?.[at] ?? at] ?? -1;
    if (step < 0 || step >= line.length) continue;
    const value = values[at];
    line[step] = typeof value === "boolean" ? Number(value) : asNumber(value);
  }
}

function readHeats(
  series: SeriesColumns,
  calculations: readonly Calculation[],
  steps: number,
  place: (time: number) => number,
) {
  const heats = new Map<string, Bin[][]>();
  for (const { label, heat } of calculations) {
    if (!heat) continue;
    const bins: Map<string, Bin>[] = Array.from({ length: steps }, () => new Map());
    for (const group of series.groups) {
      const values = (group.values[label] ?? []) as (Bin[] | null)[];
      values.forEach((some, at) => {
        const step = bins[place(series.times[group.steps?.[at] ?? at] ?? -Infinity)];
        for (const bin of (step && some) ?? []) {
          const key = `${bin.low} ${bin.high}`;
          step?.set(key, { ...bin, count: bin.count + (step.get(key)?.count ?? 0) });
        }
      });
    }
    heats.set(label, bins.map((step) => [...step.values()]));
  }
  return heats;
}

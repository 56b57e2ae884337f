// The rows of the builder: which pieces of a specification each has, and how a typed piece becomes
// one. A piece is read by the server like any text, with what has to stand before it.

import type { Filter, Query } from "../../../../api/types";
import { readQuestion, type TextFault } from "../../use_question";
import { utf16Of } from "../typing/offsets";
import { quotedName } from "../tokens";
import { sayBeginning, sayField, sayFields, sayFilter, sayHaving, sayList, sayOrder } from "./say";

export type RowName = "let" | "visualize" | "where" | "per" | "group" | "having" | "order";

export interface Row {
  name: RowName;
  label: string;
  /** What is typed there, as an example. */
  hint: string;
  /** What stands between two pieces. */
  between: (spec: Query) => string;
  /** What has to be read before a piece. */
  before: (spec: Query, at: number) => string;
  /** Whether all pieces are read together, as those of which one may name another. */
  whole?: true;
  /** Whether it has one piece at most. */
  single?: true;
  /** Members of the specification that it shows: what is wrong with them is shown there. */
  members: readonly (keyof Query)[];
  pieces: (spec: Query) => string[];
  /** The specification with other pieces: `at` replaced by those that were read, or left out. */
  change: (spec: Query, at: number, read: Query | null) => Query;
}

export const ROWS: Record<RowName, Row> = {
  let: {
    name: "let",
    label: "let",
    hint: "slow = $duration_ms > 500",
    members: ["calculated_fields"],
    between: () => "",
    before: (spec, at) => `LET ${(spec.calculated_fields ?? []).slice(0, at).map((one) => `${sayField(one)}, `).join("")}`,
    whole: true,
    pieces: (spec) => (spec.calculated_fields ?? []).map(sayField),
    change: (spec, _, read) => ({ ...without(spec, "calculated_fields"), ...listed("calculated_fields", read?.calculated_fields ?? []) }),
  },
  per: {
    name: "per",
    label: "per",
    hint: "trace.trace_id",
    members: ["per"],
    between: () => "",
    before: (spec) => `${sayFields(spec)}COUNT PER `,
    single: true,
    pieces: (spec) => (spec.per === undefined ? [] : [quotedName(spec.per)]),
    change: (spec, _, read) => ({ ...without(spec, "per"), ...(read?.per === undefined ? {} : { per: read.per }) }),
  },
  visualize: {
    members: ["calculations", "formulas"],
    name: "visualize",
    label: "visualize",
    hint: "P99(duration_ms)",
    between: () => "",
    before: (spec, at) => `${sayFields(spec)}SELECT ` + (areEvents(spec) ? [] : sayList(spec)).slice(0, at).map((one) => `${one}, `).join(""),
    whole: true,
    pieces: (spec) => (areEvents(spec) ? ["*"] : sayList(spec)),
    change: (spec, _, read) => {
      if (read && areEvents(read)) return asEvents(spec);
      const { calculations: _old, formulas: _gone, ...rest } = spec;
      const formulas = read?.formulas?.length ? { formulas: read.formulas } : {};
      return kept({ ...rest, calculations: read?.calculations ?? [{ op: "COUNT" }], ...formulas });
    },
  },
  where: {
    name: "where",
    members: ["filters"],
    label: "where",
    hint: "status >= 500",
    between: (spec) => spec.filter_combination ?? "AND",
    before: (spec) => `${sayFields(spec)}COUNT WHERE `,
    pieces: (spec) => (spec.filters ?? []).map(sayFilter),
    change: (spec, at, read) => ({ ...without(spec, "filters"), ...listed("filters", replaced(spec.filters ?? [], at, conditions(spec, read))) }),
  },
  group: {
    name: "group",
    members: ["breakdowns"],
    label: "group by",
    hint: "build.id",
    between: () => "",
    before: (spec) => `${sayFields(spec)}COUNT GROUP BY `,
    pieces: (spec) => (spec.breakdowns ?? []).map(quotedName),
    change: (spec, at, read) => {
      const breakdowns = [...new Set(replaced(spec.breakdowns ?? [], at, read?.breakdowns ?? []))];
      return kept({ ...without(spec, "breakdowns"), ...listed("breakdowns", breakdowns) });
    },
  },
  having: {
    name: "having",
    members: ["havings"],
    label: "having",
    hint: "COUNT > 100",
    between: () => "AND",
    before: (spec) => `${sayBeginning(spec)} HAVING `,
    pieces: (spec) => (spec.havings ?? []).map(sayHaving),
    change: (spec, at, read) => ({ ...without(spec, "havings"), ...listed("havings", replaced(spec.havings ?? [], at, read?.havings ?? [])) }),
  },
  order: {
    name: "order",
    members: ["orders"],
    label: "order by",
    hint: "COUNT DESC",
    between: () => "",
    before: (spec) => `${sayBeginning(spec)} ORDER BY `,
    pieces: (spec) => (spec.orders ?? []).map(sayOrder),
    change: (spec, at, read) => ({ ...without(spec, "orders"), ...listed("orders", replaced(spec.orders ?? [], at, read?.orders ?? [])) }),
  },
};

export interface PieceFault extends Omit<TextFault, "start" | "end"> {
  start: number;
  end: number;
}

/** Read a typed piece: what it means, or what is wrong with it, at its own characters. */
export async function readPiece(
  row: Row,
  spec: Query,
  at: number,
  text: string,
): Promise<{ read: Query } | { fault: PieceFault }> {
  const after = row.whole ? row.pieces(spec).slice(at + 1) : [];
  const before = text || after.length ? row.before(spec, at) : row.before(spec, at).replace(/, $/, "");
  const rest = after.join(", ");
  const { spec: read, faults } = await readQuestion(before + text + (text && rest ? `, ${rest}` : rest));
  const here = faults.filter((one) => utf16Of(before + text, one.end) > before.length);
  // one of the piece itself, before those of others that only this piece makes wrong
  const fault = here.find((one) => utf16Of(before + text, one.start) >= before.length) ?? here[0] ?? (read ? undefined : faults[0]);
  if (read && !fault) return { read };
  if (!fault) return { fault: { why: "is not understood", hint: "", start: 0, end: text.length } };
  const within = (characters: number) => Math.max(0, utf16Of(before + text, characters) - before.length);
  return { fault: { ...fault, start: within(fault.start), end: Math.max(within(fault.end), 1) } };
}

/** The conditions that were read, as one of the row where the row joins them in another way. */
function conditions(spec: Query, read: Query | null): Filter[] {
  const filters = read?.filters ?? [];
  const mine = spec.filters?.length ? (spec.filter_combination ?? "AND") : (read?.filter_combination ?? "AND");
  const its = read?.filter_combination ?? "AND";
  if (filters.length < 2 || mine === its) return filters;
  return [{ filter_combination: its, filters }];
}

/** Whether the events themselves are asked for: `SELECT *`. */
export function areEvents(spec: Query): boolean {
  return "rows" in spec;
}

/** The events that a question is about, instead of what is calculated of them. */
function asEvents(spec: Query): Query {
  const { calculated_fields, filters, filter_combination, start_time, end_time, time_range, time_axis, limit } = spec;
  const kept = { calculated_fields, filters, filter_combination, start_time, end_time, time_range, time_axis, limit };
  const given = Object.entries(kept).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(given) as Query), rows: true } as Query;
}

/** What asks for events themselves asks for groups, once these are said. */
export function asGroups(spec: Query): Query {
  const { rows: _, ...rest } = spec as Query & { rows?: true };
  return rest;
}

/** Joined the other way. */
export function otherCombination(spec: Query): Query {
  const { filter_combination: now, ...rest } = spec;
  return now === "OR" ? rest : { ...rest, filter_combination: "OR" };
}

/** Without orders and conditions on groups that name what is no longer asked for. */
function kept(spec: Query): Query {
  const known = new Set<string>(spec.breakdowns ?? []);
  for (const one of spec.calculations ?? []) {
    known.add(one.column === undefined ? one.op : `${one.op}(${one.column})`);
    if (one.name !== undefined) known.add(one.name);
  }
  for (const one of spec.formulas ?? []) known.add(one.name);
  const label = (op: string | undefined, column: string | undefined) =>
    op === undefined ? (column ?? "") : column === undefined ? op : `${op}(${column})`;
  const orders = (spec.orders ?? []).filter((one) => {
    const named = label(one.op, one.column);
    return known.has(named);
  });
  const havings = (spec.havings ?? []).filter(
    (one) => !("calculate_op" in one) || one.calculate_op === undefined || known.has(label(one.calculate_op, one.column)),
  );
  return { ...without(without(spec, "orders"), "havings"), ...listed("orders", orders), ...listed("havings", havings) };
}

function replaced<T>(all: readonly T[], at: number, by: readonly T[]): T[] {
  return [...all.slice(0, at), ...by, ...all.slice(at + 1)];
}

function without(spec: Query, member: keyof Query): Query {
  const { [member]: _, ...rest } = spec;
  return rest;
}

function listed<K extends string, T>(member: K, items: readonly T[]): { [one in K]?: T[] } {
  return (items.length ? { [member]: [...items] } : {}) as { [one in K]?: T[] };
}

/** Only events of which this is true, too. */
export function withCondition(spec: Query, condition: Filter): Query {
  const { filters = [], filter_combination: joined, ...rest } = spec;
  const before: Filter[] = joined === "OR" && filters.length > 1 ? [{ filter_combination: "OR", filters }] : filters;
  return { ...rest, filters: [...before, condition] };
}

/** A group for each value of a field, too. */
export function withGroup(spec: Query, field: string): Query {
  return { ...spec, breakdowns: [...new Set([...(spec.breakdowns ?? []), field])] };
}

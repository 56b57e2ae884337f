// Pieces of a specification as they are written in the text form.

import type { Calculation, Filter, Having, Order, Query } from "../../../../api/types";
import { quotedName, quotedValue } from "../tokens";

const OPERATORS: Record<string, string> = {
  "starts-with": "STARTS-WITH", "does-not-start-with": "NOT STARTS-WITH",
  "ends-with": "ENDS-WITH", "does-not-end-with": "NOT ENDS-WITH",
  contains: "CONTAINS", "does-not-contain": "NOT CONTAINS",
  exists: "EXISTS", "does-not-exist": "NOT EXISTS", in: "IN", "not-in": "NOT IN",
  matches: "MATCHES", "does-not-match": "NOT MATCHES", search: "SEARCH",
};

export function sayCalculation(one: Calculation): string {
  const filters = one.filters?.length ? ` FILTER (WHERE ${sayFilters(one.filters, one.filter_combination)})` : "";
  const name = one.name === undefined ? "" : ` AS ${quotedName(one.name)}`;
  return sayCalled(one) + filters + name;
}

function sayCalled(one: { op?: string; column?: string | null }): string {
  return one.column === undefined || one.column === null ? (one.op ?? "") : `${one.op}(${quotedName(one.column)})`;
}

export function sayFilters(filters: readonly Filter[], combination: "AND" | "OR" | "NONE" = "AND"): string {
  return filters.map(sayFilter).join(` ${combination} `);
}

export function sayFilter(one: Filter): string {
  if ("filters" in one) {
    const between = sayBetween(one);
    if (between !== null) return between;
    if (one.filter_combination !== "NONE") return `(${sayFilters(one.filters, one.filter_combination)})`;
    const only = one.filters[0];
    const inner = one.filters.length === 1 && only && "filters" in only ? sayFilter(only) : `(${sayFilters(one.filters, "OR")})`;
    return `NOT ${inner}`;
  }
  if (one.op === "search" && one.column === undefined) return `SEARCH ${quotedValue(one.value)}`;
  const left = `${quotedName(one.column ?? "")} ${OPERATORS[one.op] ?? one.op}`;
  if (one.value === undefined) return left;
  return `${left} ${Array.isArray(one.value) ? `(${one.value.map(quotedValue).join(", ")})` : quotedValue(one.value)}`;
}

/** BETWEEN, or NOT BETWEEN, where a group is that. */
function sayBetween(group: Extract<Filter, { filters: Filter[] }>): string | null {
  const negated = group.filter_combination === "NONE";
  const only = group.filters[0];
  const both = negated && group.filters.length === 1 && only && "filters" in only ? only : group;
  const [low, high] = both.filters;
  if (both.filter_combination !== "AND" || both.filters.length !== 2 || !low || !high) return null;
  if ("filters" in low || "filters" in high || low.op !== ">=" || high.op !== "<=" || low.column !== high.column) return null;
  if (typeof low.value !== typeof high.value || typeof low.value === "boolean") return null;
  return `${quotedName(low.column ?? "")} ${negated ? "NOT BETWEEN" : "BETWEEN"} ${quotedValue(low.value)} AND ${quotedValue(high.value)}`;
}

export function sayHaving(one: Having): string {
  if (!("calculate_op" in one) || one.calculate_op === undefined) return sayFilter(one as Filter);
  return `${sayCalled({ op: one.calculate_op, ...(one.column === undefined ? {} : { column: one.column }) })} ${one.op} ${quotedValue(one.value)}`;
}

export function sayOrder(one: Order): string {
  const what = one.op === undefined ? quotedName(one.column ?? "") : sayCalled(one);
  return one.order === undefined ? what : `${what} ${one.order === "descending" ? "DESC" : "ASC"}`;
}

/** The list of what is calculated: calculations, then formulas of them. */
export function sayList(spec: Query): string[] {
  const calculations = (spec.calculations ?? [{ op: "COUNT" as const }]).filter((one) => !one.hidden);
  return [...calculations.map(sayCalculation), ...(spec.formulas ?? []).map((one) => sayFormula(one, spec))];
}

/** Labels and texts in an expression: $`label`, $"label", "text". */
const REFERENCE = /\$`([^`]+)`|(\$?)"((?:[^"\\]|\\U[0-9a-f]{8})*)"/g;

/** A formula, whose fields are the labels of calculations. */
function sayFormula(one: { name: string; expression: string }, spec: Query): string {
  const said = new Map<string, string>();
  for (const each of spec.calculations ?? []) {
    if (each.name === undefined) said.set(labelOf(each), sayCalled(each));
  }
  const reference = (label: string) => said.get(label) ?? quotedName(label);
  const expression = one.expression.replace(REFERENCE, (_, label: string | undefined, field: string, text: string) => {
    if (label !== undefined) return reference(label);
    const plain = text.replace(/\\U([0-9a-f]{8})/g, (_whole, code: string) => String.fromCodePoint(Number.parseInt(code, 16)));
    return field ? reference(plain) : quotedValue(plain);
  });
  return `${expression} AS ${quotedName(one.name)}`;
}

function labelOf(one: Calculation): string {
  return one.column === undefined || one.column === null ? one.op : `${one.op}(${one.column})`;
}

export function sayField(one: { name: string; expression: string }): string {
  return `${quotedName(one.name)} = ${one.expression}`;
}

/** LET with the calculated fields of a question, which everything else may name. */
export function sayFields(spec: Query): string {
  const fields = spec.calculated_fields ?? [];
  if (!fields.length) return "";
  return `LET ${fields.map(sayField).join(", ")} `;
}

/** The calculations and the groups: what orders and conditions on groups may name. */
export function sayBeginning(spec: Query): string {
  const groups = spec.breakdowns?.length ? ` GROUP BY ${spec.breakdowns.map(quotedName).join(", ")}` : "";
  const per = spec.per === undefined ? "" : ` PER ${quotedName(spec.per)}`;
  return `${sayFields(spec)}${sayList(spec).join(", ")}${per}${groups}`;
}

/** Seconds as the text form says them: 90s, 15m, 2h, 7d. */
export function sayLength(seconds: number): string {
  for (const [size, letter] of [[86_400, "d"], [3600, "h"], [60, "m"]] as const) {
    if (seconds % size === 0) return `${seconds / size}${letter}`;
  }
  return `${seconds}s`;
}

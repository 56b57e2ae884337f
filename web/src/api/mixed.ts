// Conditions that mean one value and nothing else. `=` takes the text "1" for the number 1, the number
// 1 for true, and true for the text "true"; as groups they are three. Where a field holds values of
// several types, a second condition tells them apart.

import { isNumber } from "./exact";
import type { Filter } from "./types";

type Row = Record<string, unknown>;

/** The fields of groups that hold several types, as far as the rows and the notes of an answer tell. */
export function mixedFields(rows: readonly Row[], fields: readonly string[], notes: readonly string[] = []): ReadonlySet<string> {
  const mixed = fields.filter((field) => {
    const types = new Set<string>();
    for (const row of rows) {
      const value = row[field] ?? null;
      if (value !== null) types.add(isNumber(value) ? "number" : typeof value);
    }
    return types.size > 1 || notes.some((note) => note.startsWith(`\`${field}\` holds numbers and text`));
  });
  return new Set(mixed);
}

/** How many kinds of values the types of a field are, of texts, numbers and truth values. */
export function kindsOf(types: readonly string[]): number {
  return new Set(types.map((type) => (type === "integer" || type === "float" ? "number" : type))).size;
}

/** What else holds of a value of a field with several types, beside that it is equal; null: nothing. */
export function besides(column: string, value: string | number | bigint | boolean): Filter | null {
  if (typeof value === "boolean") return { column, op: "=", value: Number(value) }; // a number equals no text
  if (typeof value !== "string") {
    const truth = Number(value) === 1 || Number(value) === 0;
    return truth ? { column, op: "!=", value: Number(value) === 1 } : null;
  }
  if (value === "true" || value === "false") return { column, op: "!=", value: Number(value === "true") };
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) || !Number.isFinite(Number(value))) return null;
  const whole = /^[+-]?\d+$/.test(value) && !Number.isSafeInteger(Number(value));
  return { column, op: "!=", value: (whole ? BigInt(value.replace("+", "")) : Number(value)) as number };
}

// Which events are compared with the others: what an address says of it, and how people say it.

import { readJson } from "../../../api/exact";
import type { Filter, Operations, Query } from "../../../api/types";
import { timeOf } from "../../../look/times";
import { shown, unitOf } from "../../../look/units";
import { readQuestion, writeQuestion, type TextFault } from "../use_question";

export type Selection = Exclude<Operations["differences"]["body"]["selection"], unknown[]>;

/** What an address selects; null where it selects nothing, or what is no selection. */
export function readSelection(text: string | undefined): Selection | null {
  if (!text) return null;
  try {
    const read: unknown = readJson(text);
    if (Array.isArray(read)) return read.length ? { filters: read as Filter[] } : null;
    if (read && typeof read === "object" && Object.keys(read).length && wellFormed(read)) return read;
  } catch {
    // an address that somebody cut
  }
  return null;
}

/** Whether it has the shape of a selection; what its members say is for the store to judge. */
function wellFormed(read: object): read is Selection {
  const { filters = [], ranges = [], groups = [] } = read as Record<string, unknown>;
  return [filters, ranges, groups].every((list) => Array.isArray(list) && list.every((one) => one && typeof one === "object"));
}

/** What a selection says beside its conditions, as words: `duration_ms from 100 ms to 200 ms`. */
export function wordsOf(selection: Selection): string[] {
  const words: string[] = [];
  const { start_time: start, end_time: end } = selection;
  if (start !== undefined && end !== undefined) words.push(`${timeOf(start)} to ${timeOf(end)}`);
  else if (start !== undefined) words.push(`from ${timeOf(start)}`);
  else if (end !== undefined) words.push(`until ${timeOf(end)}`);
  for (const { column, from, to } of selection.ranges ?? []) {
    const unit = unitOf(column);
    if (from === undefined) words.push(`${column} below ${shown(to, unit)}`);
    else if (to === undefined) words.push(`${column} from ${shown(from, unit)}`);
    else words.push(`${column} from ${shown(from, unit)} to ${shown(to, unit)}`);
  }
  const groups = (selection.groups ?? []).map((group) =>
    Object.entries(group)
      .map(([name, value]) => (value === null ? `${name} missing` : `${name} = ${shown(value)}`))
      .join(" and "),
  );
  if (groups.length) words.push(groups.join(" or "));
  return words;
}

/** What stands before conditions in a question. */
export const WHERE = "COUNT WHERE ";

/** The conditions of a selection as the text form has them; null where no text stands for them. */
export async function writeConditions(selection: Selection): Promise<string | null> {
  if (!selection.filters?.length) return "";
  const query: Query = { calculations: [{ op: "COUNT" }], filters: selection.filters };
  if (selection.filter_combination) query.filter_combination = selection.filter_combination;
  const text = await writeQuestion(query);
  return text?.startsWith(WHERE) ? text.slice(WHERE.length) : null;
}

export interface Conditions {
  filters: Filter[];
  filter_combination?: "AND" | "OR";
}

/** The conditions of a text, or the part of it that is not understood. */
export async function readConditions(text: string): Promise<Conditions | TextFault> {
  const read = await readQuestion(WHERE + text);
  if (read.fault) {
    const start = Math.max(0, read.fault.start - WHERE.length);
    return { ...read.fault, start, end: Math.max(start, read.fault.end - WHERE.length) };
  }
  const { filters = [], filter_combination, calculations: _, ...more } = read.spec ?? {};
  if (Object.keys(more).length || read.dataset !== null || !filters.length) {
    return { why: "only conditions select events", hint: "as in duration_ms > 500", start: 0, end: text.length };
  }
  return filter_combination ? { filters, filter_combination } : { filters };
}

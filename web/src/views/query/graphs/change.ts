// Gestures as questions: each changes the specification, and its text is the next address.

import { go, type Place } from "../../../address";
import { ALL_DATASETS } from "../../../api/datasets";
import { isNumber } from "../../../api/exact";
import { besides } from "../../../api/mixed";
import type { Filter, Query } from "../../../api/types";
import { readQuestion, writeQuestion } from "../use_question";
import type { Group, Row } from "./answer";

export type QueryPlace = Extract<Place, { view: "query" }>;

/** A question as its answer has it, and its text. */
export interface Asked {
  spec: Query;
  text: string;
}

/** Ask another question, made of one that was asked. Throws where no text stands for it. */
export async function ask(place: QueryPlace, asked: Asked, spec: Query, tab?: QueryPlace["tab"]): Promise<void> {
  const text = await written(asked, spec);
  if (text === null) throw new Error("No text stands for this question, so it has no address.");
  const { selection: _, result: __, tab: ___, page: ____, event: _____, ...kept } = place;
  go({ ...kept, ask: text, ...(tab ? { tab } : {}) });
}

/** Find the traces that have such events. Throws where no text stands for their conditions. */
export async function findTraces(
  asked: Asked,
  spec: Query,
  order: "newest" | "slowest",
  dataset: string,
): Promise<void> {
  const { filters, filter_combination, start_time, end_time, time_range } = spec;
  const known = Object.entries({ filters, filter_combination, start_time, end_time, time_range });
  const text = await written(asked, Object.fromEntries(known.filter(([, value]) => value !== undefined)), false);
  if (text === null) throw new Error("No text stands for these conditions, so traces cannot be found by them.");
  // Of a trace only the conditions and the range count.
  const within = dataset === ALL_DATASETS ? {} : { dataset };
  go({ view: "traces", ask: text.replace(/^COUNT /, ""), order, ...within });
}

/**
 * The text of a question made of one that was asked: its range keeps its words (`SINCE yesterday`) and
 * the dataset its name, unless they are what was changed.
 */
async function written(asked: Asked, spec: Query, named = true): Promise<string | null> {
  const { dataset, range } = await readQuestion(asked.text);
  const same = TIMES.every((one) => asked.spec[one] === spec[one]);
  return writeQuestion(spec, named ? dataset : null, same ? range : null);
}

const TIMES = ["start_time", "end_time", "time_range"] as const;

/** The same question about a part of its time; seconds are whole, and steps chosen anew. */
export function zoomed(spec: Query, start: number, end: number): Query {
  const { time_range: _, granularity: __, ...kept } = spec;
  const from = Math.floor(start);
  return { ...kept, start_time: from, end_time: Math.max(from + 1, Math.ceil(end)) };
}

/** The conditions that a group stands for. */
export function meant(group: Group): Filter[] {
  return group.filters ?? conditionsOf(group.values);
}

/** The conditions that fields have these values; mixed: those with values of several types. */
export function conditionsOf(values: Row, mixed?: ReadonlySet<string>): Filter[] {
  return Object.entries(values).flatMap(([column, value]): Filter[] => {
    if (typeof value === "string" || isNumber(value) || typeof value === "boolean") {
      const more = mixed?.has(column) ? besides(column, value) : null;
      const same: Filter = { column, op: "=", value: value as number }; // a bigint is written as the number that it is
      return more ? [same, more] : [same];
    }
    return [{ column, op: "does-not-exist" }];
  });
}

/** The same question, also with these conditions. */
export function narrowed(spec: Query, more: readonly Filter[]): Query {
  const old = spec.filters ?? [];
  const kept: Filter[] =
    spec.filter_combination === "OR" && old.length > 1 ? [{ filter_combination: "OR", filters: old }] : old;
  const { filter_combination: _, ...rest } = spec;
  const filters = [...kept, ...more];
  const [first] = filters;
  // One group of conditions alone is the question's conditions: so the text form reads it.
  if (first && filters.length === 1 && "filters" in first && first.filter_combination !== "NONE") {
    const { filter_combination } = first;
    return { ...rest, filters: first.filters, ...(filter_combination ? { filter_combination } : {}) };
  }
  return { ...rest, filters };
}

/** The same question about all but a group: one of its values is another one, or missing. */
export function without(spec: Query, values: Row, mixed?: ReadonlySet<string>): Query {
  const all = mixed?.size ? conditionsOf(values, mixed) : [];
  if (all.length > Object.keys(values).length) return withoutAll(spec, all);
  const others = conditionsOf(values).map((one): Filter => {
    if (!("op" in one)) return one;
    return { ...one, op: one.op === "=" ? "!=" : "exists" };
  });
  if (others.length < 2) return narrowed(spec, others);
  return narrowed(spec, [{ filter_combination: "OR", filters: others }]);
}

/** The same question without a group, whose conditions may be more than its values. */
export function withoutGroup(spec: Query, group: Group): Query {
  return group.filters ? withoutAll(spec, group.filters) : without(spec, group.values);
}

function withoutAll(spec: Query, filters: Filter[]): Query {
  const all: Filter = { filter_combination: "AND", filters };
  return narrowed(spec, [{ filter_combination: "NONE", filters: [all] }]);
}

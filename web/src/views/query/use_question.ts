// The question of an address: its text, and the specification that it stands for.

import { call } from "../../api/client";
import type { Operations, Query } from "../../api/types";
import { useAnswer } from "../../parts/use_answer";

type Read = Operations["readText"]["answer"];

/** What is wrong with some words of a text: characters, not units of UTF-16. */
export type TextFault = Omit<NonNullable<Read["fault"]>, "member" | "at"> & {
  /** The member of the specification that it is about, and which item of its list. */
  member?: string | null;
  at?: number | null;
};

/** Where a member of a specification stands in its text. */
export type TextPlace = Read["places"][number];

export interface Question {
  text: string;
  spec: Query | null;
  /** The dataset after FROM. */
  dataset: string | null;
  /** The words of its time range. */
  range: string | null;
  /** The first of its faults. */
  fault: TextFault | null;
  faults: readonly TextFault[];
  places: readonly TextPlace[];
}

/** What people see who only chose a dataset. */
export const FIRST_QUESTION = "COUNT LAST 2h";

/** The viewer's time zone, as the text form reads times in it. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** For so long a text means the same, also where it has words such as `yesterday`. */
const KEPT_MS = 2000;
let last: { text: string; at: number; read: Promise<Question> } | null = null;

/** The question of a text, as the server understands it. What was typed is not read again to be run. */
export async function readQuestion(text: string, signal?: AbortSignal): Promise<Question> {
  const at = performance.now();
  if (!last || last.text !== text || at - last.at >= KEPT_MS) last = { text, at, read: askFor(text) };
  const kept = last;
  try {
    const read = await kept.read;
    signal?.throwIfAborted();
    return read;
  } catch (error) {
    if (last === kept && !signal?.aborted) last = null;
    throw error;
  }
}

async function askFor(text: string): Promise<Question> {
  const read = await call("readText", { body: { text: text.trim() ? text : FIRST_QUESTION, zone: ZONE } });
  const { query: spec, dataset, range, fault, faults, places } = read;
  return { text, spec, dataset, range, fault, faults, places };
}

export function useQuestion(text: string) {
  return useAnswer(text, (signal) => readQuestion(text, signal));
}

/**
 * The text of a specification, and of the dataset after FROM; null where no text stands for it.
 * range: words of a time range, such as `SINCE yesterday`, in the place of its own times.
 */
export async function writeQuestion(spec: Query, from: string | null = null, range: string | null = null): Promise<string | null> {
  const named = from === null ? {} : { dataset: from };
  const said = range === null ? {} : { range, zone: ZONE };
  return (await call("writeText", { body: { query: spec, ...named, ...said } })).text;
}

// The question of an address: its text, and the specification that it stands for.

import { call } from "../../api/client";
import type { Operations, Query } from "../../api/types";
import { useAnswer } from "../../parts/use_answer";

export type TextFault = NonNullable<Operations["readText"]["answer"]["fault"]>;

export interface Question {
  text: string;
  spec: Query | null;
  /** The dataset after FROM. */
  dataset: string | null;
  /** The word that is not understood. */
  fault: TextFault | null;
}

/** What people see who only chose a dataset. */
export const FIRST_QUESTION = "COUNT LAST 2h";

/** The viewer's time zone, as the text form reads times in it. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** The question of a text, as the server understands it. */
export async function readQuestion(text: string, signal?: AbortSignal): Promise<Question> {
  const read = await call("readText", {
    body: { text: text.trim() ? text : FIRST_QUESTION, zone: ZONE },
    ...(signal ? { signal } : {}),
  });
  return { text, spec: read.query, dataset: read.dataset, fault: read.fault };
}

export function useQuestion(text: string) {
  return useAnswer(text, (signal) => readQuestion(text, signal));
}

/** The text of a specification, and of the dataset after FROM; null where no text stands for it. */
export async function writeQuestion(spec: Query, from: string | null = null): Promise<string | null> {
  const named = from === null ? {} : { dataset: from };
  return (await call("writeText", { body: { query: spec, ...named } })).text;
}

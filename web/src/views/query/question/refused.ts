// What the server refused when a question was asked, at the words of its text.

import type { ApiError } from "../../../api/client";
import type { TextFault, TextPlace } from "../use_question";

const TIMES = new Set(["time_range", "start_time", "end_time", "time_axis"]);

/** The faults of a refusal; those of no known words are of the whole text. */
export function refusedWords(refusal: ApiError, places: readonly TextPlace[], length: number): TextFault[] {
  return refusal.faults.map((fault) => {
    const [, member = "", item] = /^(?:query\.)?(\w+)(?:\[(\d+)\])?/.exec(fault.field ?? "") ?? [];
    const named = TIMES.has(member) ? "time_range" : member;
    const at = item === undefined ? null : Number(item);
    const of = places.filter((one) => one.member === named);
    const place = of.find((one) => one.at === at) ?? of[0];
    const { start, end } = place ?? { start: 0, end: length };
    return { why: fault.description ?? "is refused", hint: "", start, end, member: place?.member ?? null, at: place?.at ?? null };
  });
}

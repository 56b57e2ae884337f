// What of a question says which events it is about.

import type { Query } from "../../../api/types";
import type { Range } from "../graphs/answer";

/** What says which events the question is about; `per` too, as the store has to refuse it. */
const OF_EVENTS = ["filters", "filter_combination", "calculated_fields", "time_axis", "per"] as const;

/** A question about the same events and no more, held to the range of an answer. */
export function heldTo(spec: Query, range: Range | null): Query {
  const kept: Query = Object.fromEntries(
    OF_EVENTS.filter((name) => spec[name] !== undefined).map((name) => [name, spec[name]]),
  );
  const zoomed = spec.start_time !== undefined && spec.end_time !== undefined;
  if (range && !zoomed) return { ...kept, start_time: range.start, end_time: range.end };
  const { time_range, start_time, end_time } = spec;
  return {
    ...kept,
    ...(time_range === undefined ? {} : { time_range }),
    ...(start_time === undefined ? {} : { start_time }),
    ...(end_time === undefined ? {} : { end_time }),
  };
}

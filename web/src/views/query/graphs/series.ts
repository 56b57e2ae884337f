// The series of an answer: for each group its steps and, by calculation, the values at these.

import type { SeriesColumns } from "../../../api/types";
import { keyOf, type Row } from "./answer";

export type { SeriesColumns };

interface Timed {
  time: string;
  data: Row;
}

/** Series as they come: columns, or rows of a server that does not know columns yet. */
export type Series = SeriesColumns | readonly Timed[];

export const NO_SERIES: SeriesColumns = { times: [], groups: [] };

/** Series as columns. breakdowns: of its groups. */
export function columnsOf(series: Series | undefined, breakdowns: readonly string[]): SeriesColumns {
  if (!series) return NO_SERIES;
  return "groups" in series ? series : gathered(series, breakdowns);
}

function gathered(rows: readonly Timed[], breakdowns: readonly string[]): SeriesColumns {
  const times = new Map<string, number>();
  const groups = new Map<string, SeriesColumns["groups"][number] & { steps: number[] }>();
  for (const { time, data } of rows) {
    const step = times.get(time) ?? times.size;
    times.set(time, step);
    const key = keyOf(data, breakdowns);
    const group = groups.get(key) ?? { data: {}, steps: [], values: {} };
    groups.set(key, group);
    group.steps.push(step);
    for (const [name, value] of Object.entries(data)) {
      if (breakdowns.includes(name)) group.data[name] = value;
      else (group.values[name] ??= []).push(value);
    }
  }
  return { times: [...times.keys()].map((time) => Date.parse(time) / 1000), groups: [...groups.values()] };
}

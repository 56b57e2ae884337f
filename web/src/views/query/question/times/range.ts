// The time range of a question: moved, widened, and said in words.

import type { Query } from "../../../../api/types";
import { dayOf, timeOf } from "../../../../look/times";
import { plain } from "../../../../look/units";

/** What is asked about where nothing else is said: seconds. */
export const USUAL_S = 7200;

/** Steps that an answer has at most before a chosen step is given up. */
const STEPS_MAX = 1000;

/** This part of a range is so short that a range ends now if it ends so little before. */
const NEAR = 0.05;

export interface Range {
  /** Unix seconds; null for an end that is now. */
  end: number | null;
  length: number;
}

export function rangeOf(spec: Query): Range {
  const { start_time: start, end_time: end, time_range: length } = spec;
  if (start !== undefined && end !== undefined) return { end, length: end - start };
  if (start !== undefined && length !== undefined) return { end: start + length, length };
  if (start !== undefined) return { end: null, length: Math.max(1, nowS() - start) };
  return { end: end ?? null, length: length ?? USUAL_S };
}

/** The same question about another range. */
export function withRange(spec: Query, range: Range): Query {
  const { start_time: _start, end_time: _end, time_range: _length, granularity, ...rest } = spec;
  const fits = granularity !== undefined && range.length / granularity <= STEPS_MAX;
  const step = fits ? { granularity } : {};
  if (range.end === null) return { ...rest, ...step, time_range: range.length };
  return { ...rest, ...step, start_time: range.end - range.length, end_time: range.end };
}

/** The same question about the times of another one. */
export function withTimes(spec: Query, of: Query): Query {
  const { length } = rangeOf(of);
  const { start_time: _start, end_time: _end, time_range: _length, time_axis: _axis, granularity, ...rest } = spec;
  const fits = granularity !== undefined && length / granularity <= STEPS_MAX;
  const { start_time, end_time, time_range, time_axis } = of;
  const given = Object.entries({ start_time, end_time, time_range, time_axis }).filter(([, value]) => value !== undefined);
  return { ...rest, ...(fits ? { granularity } : {}), ...(Object.fromEntries(given) as Query) };
}

const SAID = /^SINCE (.+?)(?: UNTIL (.+))?$/i;

/** What stands after SINCE and UNTIL, where a range is said so. */
export function fromWords(words: string | null): { from: string; to: string } | null {
  const plain = (words ?? "").replace(/\s+BY\s+(START|END|OVERLAP)\b/i, "");
  const found = SAID.exec(plain);
  return found?.[1] ? { from: found[1], to: found[2] ?? "now" } : null;
}

/** A range that is said in words about now, as it is shown; null for plain moments and lengths. */
export function saidInWords(words: string | null): string | null {
  const said = fromWords(words);
  if (!said) return null;
  const moves = (moment: string) => /[a-z]{3}|now|ago/i.test(moment) && !/^\d{4}-/.test(moment);
  if (!moves(said.from)) return null;
  return said.to === "now" ? `since ${said.from}` : `${said.from} – ${said.to}`;
}

/** Moved by its own length: back is -1. One that reaches now goes along with it again. */
export function moved(spec: Query, by: 1 | -1): Query {
  const range = rangeOf(spec);
  const now = nowS();
  const end = (range.end ?? now) + by * range.length;
  // a little before now is now: it went on while one looked back
  return withRange(spec, { end: end + range.length * NEAR >= now ? null : end, length: range.length });
}

/** Twice as long around the same middle, as far as now. */
export function widened(spec: Query): Query {
  const range = rangeOf(spec);
  const length = range.length * 2;
  if (range.end === null) return withRange(spec, { end: null, length });
  const end = range.end + Math.floor(range.length / 2);
  const now = nowS();
  return withRange(spec, end >= now ? { end: null, length: Math.max(length, now - (range.end - range.length)) } : { end, length });
}

const UNITS = [[86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]] as const;

/** 2 hours, 90 minutes, 7 days. */
export function lengthInWords(seconds: number): string {
  const [size, name] = UNITS.find(([one]) => seconds >= one && seconds % one === 0) ?? [1, "second"];
  const count = seconds / size;
  return `${plain(count)} ${name}${count === 1 ? "" : "s"}`;
}

export function rangeInWords(spec: Query): string {
  const range = rangeOf(spec);
  if (range.end === null) return `last ${lengthInWords(range.length)}`;
  const start = range.end - range.length;
  const seconds = start % 60 !== 0 || range.end % 60 !== 0;
  const clock = (s: number) => timeOf(s, { seconds, day: "never" });
  const [first, last] = [dayOf(start), dayOf(range.end)];
  if (first !== last) return `${first} ${clock(start)} – ${last} ${clock(range.end)}`;
  return `${first === dayOf(nowS()) ? "" : `${first} `}${clock(start)} – ${clock(range.end)}`;
}

function nowS(): number {
  return Math.floor(Date.now() / 1000);
}

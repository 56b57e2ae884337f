// Which part of the time is covered by an answer, and which may still grow.

import type { Coverage } from "../../../../api/types";
import { timeOf } from "../../../../look/times";
import { completeTo } from "../../coverage";
import type { Range } from "../answer";

export interface Cover {
  /** Unix seconds up to which nothing more is known to come; the end of the range if that is later. */
  settled: number;
  /** Why partitions did not answer in full; null where all did. */
  missing: string | null;
  /** Steps at the ends that are not whole: their counts are those of a part. */
  parts: readonly Part[];
}

export interface Part {
  start: number;
  end: number;
  /** The middle of the next whole step: until there a line leads to the part of one. */
  next: number;
  why: string;
}

export function coverOf(coverage: Coverage | undefined, range: Range): Cover {
  const to = coverage ? completeTo(coverage) : null;
  const settled = to === null ? range.end : Math.min(range.end, Math.max(range.start, to));
  const parts = partsOf(range, settled, to !== null && to < range.end + range.step);
  if (!coverage || coverage.complete) return { settled, missing: null, parts };
  const partitions = coverage.partitions as { partition: number; complete: boolean; reason?: string }[];
  const absent = partitions.filter((one) => !one.complete);
  const why = new Map<string, number[]>();
  for (const { partition, reason } of absent) {
    const same = why.get(reason || "no reason was given") ?? [];
    why.set(reason || "no reason was given", [...same, partition]);
  }
  const reasons = [...why].map(([reason, numbers]) => `${namesOf(numbers)}: ${reason}`);
  const missing = `${absent.length} of ${partitions.length} partitions did not answer in full. ${reasons.join("; ")}`;
  return { settled, missing, parts };
}

/** `partition 3`, `partitions 0, 1 and 4`. */
function namesOf(numbers: readonly number[]): string {
  if (numbers.length < 2) return `partition ${numbers.join("")}`;
  return `partitions ${numbers.slice(0, -1).join(", ")} and ${numbers.at(-1)}`;
}

/** live: whether the present is about where the range ends. */
function partsOf({ start, end, step }: Range, settled: number, live: boolean): Part[] {
  const parts: Part[] = [];
  const first = Math.floor(start / step) * step;
  if (start > first && first + step < end) {
    parts.push({ start, end: first + step, next: first + 1.5 * step, why: `the step to ${timeOf(first + step, { seconds: step < 60 })} begins before the range` });
  }
  const last = Math.floor(Math.min(settled, end) / step) * step;
  if (last < end && last > start) {
    const clock = timeOf(last, { seconds: step < 60 });
    const why = live ? `the step from ${clock} is not over` : `the step from ${clock} goes on after the range`;
    parts.push({ start: last, end, next: last - 0.5 * step, why });
  }
  return parts;
}

// Which part of the time is covered by an answer, and which may still grow.

import type { Coverage } from "../../../api/types";
import { completeTo } from "../coverage";
import type { Range } from "./answer";

export interface Cover {
  /** Unix seconds up to which nothing more is known to come; the end of the range if that is later. */
  settled: number;
  /** Why partitions did not answer in full; null where all did. */
  missing: string | null;
}

export function coverOf(coverage: Coverage | undefined, range: Range): Cover {
  if (!coverage) return { settled: range.end, missing: null };
  const to = completeTo(coverage);
  const settled = to === null ? range.end : Math.min(range.end, Math.max(range.start, to));
  if (coverage.complete) return { settled, missing: null };
  const partitions = coverage.partitions as { partition: number; complete: boolean; reason?: string }[];
  const absent = partitions.filter((one) => !one.complete);
  const reasons = absent.map((one) => `partition ${one.partition}: ${one.reason || "no reason was given"}`);
  return { settled, missing: `${absent.length} of ${partitions.length} partitions did not answer in full. ${reasons.join("; ")}` };
}

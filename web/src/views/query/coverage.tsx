// What an answer covers, in words: complete, or what is missing and why.

import { asNumber } from "../../api/exact";
import type { Coverage } from "../../api/types";
import { timeOf, utcOf } from "../../look/times";

interface Covered {
  partition: number;
  complete: boolean;
  reason?: string;
  /** Nanoseconds, which a number may not hold. */
  watermark?: number | bigint;
}

/** The seconds to which every partition is covered; null if that is not known. */
export function completeTo(coverage: Coverage): number | null {
  const marks = (coverage.partitions as Covered[])
    .map((one) => asNumber(one.watermark))
    .filter((one) => one !== null);
  return marks.length ? Math.min(...marks) / 1e9 : null;
}

export function CoverageWords({ coverage }: { coverage: Coverage }) {
  const partitions = coverage.partitions as Covered[];
  if (coverage.complete) {
    const to = completeTo(coverage);
    return (
      <span title={to === null ? undefined : utcOf(to)}>
        {to === null ? "complete" : `complete to ${timeOf(to)}`}
      </span>
    );
  }
  const missing = partitions.filter((one) => !one.complete);
  const reasons = [...new Set(missing.map((one) => one.reason).filter(Boolean))];
  return (
    <span class="error" title={reasons.join("; ")}>
      ⚠ {missing.length} of {partitions.length} partitions did not answer in full
      {reasons.length > 0 && `: ${reasons[0]}`}
      {reasons.length > 1 && ` and ${reasons.length - 1} more reasons`}
    </span>
  );
}

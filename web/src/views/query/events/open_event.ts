// The event that is shown whole, in the address: by its time, so that a link finds it though others came.

import type { Row } from "../../../api/types";

/** Stands before the number of an event among those of one time. */
const SAME = "~";

/** What the address has for one of the rows. */
export function keyOfEvent(rows: readonly Row[], at: number): string | undefined {
  const time = rows[at]?.time;
  if (time === undefined) return undefined;
  const before = rows.slice(0, at).filter((one) => one.time === time).length;
  return before ? `${time}${SAME}${before}` : time;
}

/** Which of the rows it is; -1 for none of them. */
export function placeOfEvent(rows: readonly Row[], key: string): number {
  const [time = "", number = "0"] = key.split(SAME);
  const same = rows.flatMap((one, at) => (one.time === time ? [at] : []));
  return same[Number(number)] ?? -1;
}

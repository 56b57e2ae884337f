// Parts of a whole, and by what part something has changed, as people read them.

import { plain } from "../../../look/units";

/** 59 %, 4.3 %, 0.02 %, < 0.01 %. */
export function percentOf(part: number): string {
  const percent = part * 100;
  if (percent === 0) return "0 %";
  if (percent < 0.01) return "< 0.01 %";
  if (percent < 1) return `${percent.toFixed(2)} %`;
  if (percent < 10) return `${percent.toFixed(1)} %`;
  return `${plain(Math.round(percent))} %`;
}

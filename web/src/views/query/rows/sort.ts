// The order of the rows on the screen: that of the answer, or by a column that was clicked.

import { isNumber } from "../../../api/exact";
import type { Row } from "../graphs/answer";

export interface Sorting {
  name: string;
  down: boolean;
}

/** The order of an address: `-NAME` largest first, `+NAME` smallest first; null for that of the answer. */
export function sortingOf(text: string | undefined): Sorting | null {
  const found = /^([+-])(.+)$/s.exec(text ?? "");
  return found?.[2] === undefined ? null : { name: found[2], down: found[1] === "-" };
}

export function textOfSorting(by: Sorting | null): string | undefined {
  return by === null ? undefined : `${by.down ? "-" : "+"}${by.name}`;
}

/** The next state of a column that is clicked: numbers largest first, texts A first, then none. */
export function nextSorting(old: Sorting | null, name: string, number: boolean): Sorting | null {
  if (old?.name !== name) return { name, down: number };
  return old.down === number ? { name, down: !number } : null;
}

export function sorted(rows: readonly Row[], by: Sorting | null): readonly Row[] {
  if (!by) return rows;
  const sign = by.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [one, other] = [a[by.name] ?? null, b[by.name] ?? null];
    // what is missing comes last either way
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return sign * compare(one, other);
  });
}

function compare(one: unknown, other: unknown): number {
  if (isNumber(one) && isNumber(other)) return one < other ? -1 : one > other ? 1 : 0;
  return String(one).localeCompare(String(other), undefined, { numeric: true });
}

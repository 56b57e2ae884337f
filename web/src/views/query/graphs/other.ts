// What is not drawn as a group of its own: OTHER, all groups beyond those that are, and the total.

import type { Filter } from "../../../api/types";
import { plain } from "../../../look/units";
import { meant } from "./change";
import type { Calculation, Group, Line } from "./answer";
import { addable } from "./form";

/** Keys of no group: those have the values of their fields, each ended by a NUL. */
export const OTHER = "other";
export const TOTAL = "total";

/** Conditions of one question: more are refused. */
const CONDITIONS_MAX = 100;

/** All groups but the listed ones. */
export function otherGroup(listed: readonly Group[], count: number): Group {
  const groups = listed.map((one): Filter => {
    const filters = meant(one);
    const [first] = filters;
    return first && filters.length === 1 ? first : { filter_combination: "AND", filters };
  });
  const conditions = listed.reduce((sum, one) => sum + meant(one).length, 0);
  return {
    key: OTHER,
    values: {},
    name: `other (${plain(count)})`,
    // Too many to say: then there is no question about them.
    filters: conditions < CONDITIONS_MAX ? [{ filter_combination: "NONE", filters: groups }] : null,
  };
}

export const TOTAL_GROUP: Group = { key: TOTAL, values: {}, name: "total" };

type Lines = ReadonlyMap<string, ReadonlyMap<string, Line>>;

/** The lines of groups, with those of the total, and where values add up that of the others. */
export function withOthers(
  lines: Lines,
  totals: Lines,
  calculations: readonly Calculation[],
  groups: readonly Group[],
  hasOthers: boolean,
): Lines {
  const all = new Map<string, ReadonlyMap<string, Line>>();
  for (const calculation of calculations) {
    const { label } = calculation;
    const of = lines.get(label);
    const total = totals.get(label)?.get(TOTAL);
    if (!of) continue;
    const more = new Map(of);
    if (total) {
      more.set(TOTAL, total);
      const listed = groups.map((group) => of.get(group.key) ?? []);
      if (hasOthers && addable(calculation, listed)) more.set(OTHER, rest(total, listed));
    }
    all.set(label, more);
  }
  return all;
}

/** What the total has beyond the listed lines: nothing is less than none, as rounding may make it. */
function rest(total: Line, listed: readonly Line[]): Line {
  const left = total.map((value) => value ?? 0);
  for (const line of listed) {
    for (let at = 0; at < left.length; at += 1) left[at] = (left[at] ?? 0) - (line[at] ?? 0);
  }
  return left.map((value, at) => (value > 1e-9 * Math.abs(total[at] ?? 0) ? value : 0));
}

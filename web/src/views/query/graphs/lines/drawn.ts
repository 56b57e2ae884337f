// Which series a graph draws, in which order and how.

import uPlot from "uplot";
import type { SeriesLook } from "../../../../look/palette";
import type { Calculation, Graphed, Group, Line } from "../answer";
import { addable, type Form } from "../form";
import { colour } from "../frame";
import { thinPath } from "./thin_path";

export interface Drawn {
  group: Group;
  line: Line;
  /** Where it is drawn: its values, or with all that lie beneath them. */
  at: Line;
  look: SeriesLook;
  /** Whether it is of the compared range. */
  before: boolean;
  form: Form;
  /** Whether it is one of so many that it is drawn thin. */
  thin: boolean;
}

/** Beyond them colours with dashes repeat: lines are thin and whole, which is drawn much faster. */
const DASHED_MAX = 24;
/** Outlines of an earlier range that are told apart. */
const OUTLINED_MAX = 12;
const BAR_PART = 0.9;
const BAR_MOST_PX = 60;

export function drawnOf(
  of: Graphed,
  calculation: Calculation,
  looks: ReadonlyMap<string, SeriesLook>,
  form: Form,
): Drawn[] {
  const { label } = calculation;
  const now = linesOf(of, label, looks, false);
  const adds = (some: readonly Drawn[]) => addable(calculation, some.map((one) => one.line));
  if (form === "line" || !adds(now)) return [...linesOf(of, label, looks, true), ...now];
  const others = (before: boolean) => (of.other ? lineOf(of, label, looks, before, of.other) : []);
  const before = [...linesOf(of, label, looks, true), ...others(true)];
  return [...stacked([...now, ...others(false)], form), ...(adds(before) ? outlined(before) : [])];
}

function linesOf(of: Graphed, label: string, looks: ReadonlyMap<string, SeriesLook>, before: boolean): Drawn[] {
  return of.groups.flatMap((group) => lineOf(of, label, looks, before, group));
}

function lineOf(
  of: Graphed,
  label: string,
  looks: ReadonlyMap<string, SeriesLook>,
  before: boolean,
  group: Group,
): Drawn[] {
  const line = (before ? of.before : of.lines).get(label)?.get(group.key);
  const look = looks.get(group.key);
  const thin = of.groups.length > DASHED_MAX;
  return line && look ? [{ group, line, at: line, look, before, form: "line", thin }] : [];
}

/** What was before, as lines over the bands: each where its band ended. Of many only the sum. */
function outlined(lines: readonly Drawn[]): Drawn[] {
  const made = summed(lines);
  return made.length > OUTLINED_MAX ? made.slice(-1) : made;
}

function summed(lines: readonly Drawn[]): Drawn[] {
  let ground: Line = [];
  return lines.map((one) => {
    ground = one.line.map((value, at) => (value ?? 0) + (ground[at] ?? 0));
    return { ...one, at: ground };
  });
}

/** The first group on the ground, the others on it. The highest is drawn first: each hides its part
 * of what lies behind it. */
function stacked(lines: readonly Drawn[], form: Form): Drawn[] {
  return summed(lines).map((one) => ({ ...one, form })).reverse();
}

export function seriesOf({ group, line, look, before, form, thin }: Drawn): uPlot.Series {
  if (form === "bar") {
    const paths = uPlot.paths.bars?.({ size: [BAR_PART, BAR_MOST_PX] });
    return { label: group.name, stroke: look.colour, fill: look.colour, width: 0, points: { show: false }, ...(paths ? { paths } : {}) };
  }
  if (form === "stacked") {
    const fill = mixed(look.colour);
    return { label: group.name, stroke: look.colour, width: 1, dash: thin ? [] : [...look.dash], fill, points: { show: false } };
  }
  const alone: number[] = [];
  line.forEach((value, at) => {
    if (value !== null && (line[at - 1] ?? null) === null && (line[at + 1] ?? null) === null) alone.push(at);
  });
  return {
    label: group.name,
    stroke: look.colour,
    width: thin || before ? 1 : 1.75,
    alpha: before ? 0.55 : 1,
    dash: thin ? [] : before ? [4, 4] : [...look.dash],
    ...(thin ? { paths: thinPath } : {}),
    points: { show: alone.length > 0, filter: () => alone, size: 4, fill: look.colour },
  };
}

/** Half paper, and opaque: what lies behind is not seen. */
function mixed(ink: string): string {
  return `color-mix(in srgb, ${ink} 55%, ${colour("paper")})`;
}

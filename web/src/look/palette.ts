// Colours of data: Okabe and Ito's, which colour-blind people tell apart, in an order that keeps
// neighbours apart; then the same with dashes. A group keeps its colour from one question to the next.

export interface SeriesLook {
  colour: string;
  dash: readonly number[];
}

const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#e69f00", "#1c1e21"];
const DARK = ["#56b4e9", "#f0803c", "#2fc59b", "#e39ac4", "#f0e442", "#5b9bd5", "#e69f00", "#e7e8ea"];
const DASHES: readonly (readonly number[])[] = [[], [6, 4], [2, 3]];

/** By group, those of the latest screens last. */
const given = new Map<string, number>();
/** Groups whose place is remembered: a tab may stay open for weeks. */
const GIVEN_MAX = 5_000;

export function isDark(): boolean {
  const chosen = document.documentElement.dataset["theme"];
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** The looks of the groups of one screen, by their values: each keeps the one that it had before,
 * unless another one of this screen has it too; others get the first that no group beside them has. */
export function looksOf(groups: readonly string[]): Map<string, SeriesLook> {
  const owners = new Map<number, string>();
  for (const group of groups) {
    const had = given.get(group);
    if (had !== undefined && !owners.has(had)) owners.set(had, group);
  }
  let next = 0;
  for (const group of groups) {
    const had = given.get(group);
    if (had !== undefined && owners.get(had) === group) continue;
    while (owners.has(next)) next += 1;
    owners.set(next, group);
    given.set(group, next);
  }
  const looks = new Map(groups.map((group) => [group, given.get(group) ?? 0]));
  for (const [group, at] of looks) {
    given.delete(group);
    given.set(group, at);
  }
  for (const oldest of given.keys()) {
    if (given.size <= Math.max(GIVEN_MAX, looks.size)) break;
    given.delete(oldest);
  }
  return new Map([...looks].map(([group, at]) => [group, lookAt(at)]));
}

function lookAt(at: number): SeriesLook {
  const colours = isDark() ? DARK : LIGHT;
  return {
    colour: colours[at % colours.length] ?? "#0072b2",
    dash: DASHES[Math.floor(at / colours.length) % DASHES.length] ?? [],
  };
}

/** One hue, evenly brighter (or darker) with the part of the fullest cell; 0 is the paper. */
export function heat(part: number): string {
  if (part <= 0) return "transparent";
  const eased = Math.sqrt(Math.min(1, part));
  if (isDark()) return `hsl(205 ${35 + 40 * eased}% ${20 + 60 * eased}%)`;
  return `hsl(205 ${45 + 35 * eased}% ${88 - 62 * eased}%)`;
}

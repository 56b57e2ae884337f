// One event whole: nested values as lines with dotted names.

export interface Line {
  name: string;
  /** The field that it is a part of: what conditions can name. */
  field: string;
  value: unknown;
}

/** Nobody reads more lines of one event at once; the rest is counted. */
export const LINES_MAX = 2_000;

/** The values of an event, nested ones as `tags[0]` and `meta.deep`; at most LINES_MAX lines. */
export function unfolded(data: Record<string, unknown>): Line[] {
  const lines: Line[] = [];
  for (const [field, value] of Object.entries(data)) unfold(field, field, value, lines);
  return lines;
}

function unfold(field: string, name: string, value: unknown, lines: Line[]): void {
  if (lines.length >= LINES_MAX) return;
  if (Array.isArray(value) && value.length) {
    value.forEach((one, at) => unfold(field, `${name}[${at}]`, one, lines));
  } else if (value && typeof value === "object" && Object.keys(value).length) {
    for (const [key, one] of Object.entries(value)) unfold(field, `${name}.${key}`, one, lines);
  } else {
    lines.push({ name, field, value });
  }
}

/** Fields that say at a glance what an event is, where it has them. */
const TELLING = ["name", "message", "body", "service.name", "duration_ms", "status", "http.route", "error"];
const COLUMNS = 6;

/** The columns of a table of events before one picks others. */
export function usualColumns(rows: readonly { data: Record<string, unknown> }[]): string[] {
  const counts = new Map<string, number>();
  for (const { data } of rows) for (const name of Object.keys(data)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const common = [...counts].sort(([, one], [, other]) => other - one).map(([name]) => name);
  return [...new Set([...TELLING.filter((name) => counts.has(name)), ...common])].slice(0, COLUMNS);
}

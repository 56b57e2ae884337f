// Rows as text: what is copied is what is shown, in its order; numbers keep all their digits.

import { writeJson } from "../../../api/exact";
import { shown, unitOf } from "../../../look/units";
import { wordOf, type Row } from "../graphs/answer";

export interface Table {
  groups: readonly string[];
  labels: readonly string[];
  rows: readonly Row[];
  /** By row, its values in the earlier range that is compared. */
  earlier: readonly (Row | undefined)[] | null;
  /** OTHER and the total, as far as there are. */
  sums: readonly { name: string; row: Row; before: Row | undefined }[];
}

const EARLIER = " before";

/** A line for each group, nothing else: for programs and spreadsheets. */
export function asCsv({ groups, labels, rows, earlier }: Table): string {
  const names = [...groups, ...labels, ...(earlier ? labels.map((label) => label + EARLIER) : [])];
  const lines = rows.map((row, at) => [
    ...[...groups, ...labels].map((name) => row[name]),
    ...(earlier ? labels.map((label) => earlier[at]?.[label]) : []),
  ]);
  return [names, ...lines].map((line) => line.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

/** What a spreadsheet would take for a formula is marked as a text. A missing value is an empty
 * cell, an empty text is "". */
function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return quoted(writeJson(value));
  return quoted(/^[=+\-@\t\r]/.test(value) ? `'${value}` : value);
}

function quoted(text: string): string {
  return text === "" || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function asJson({ groups, labels, rows, earlier }: Table): string {
  const names = [...groups, ...labels];
  const pick = (row: Row | undefined, some: readonly string[]) =>
    Object.fromEntries(some.map((name) => [name, row?.[name] ?? null]));
  const picked = rows.map((row, at) => ({
    ...pick(row, names),
    ...(earlier ? { before: pick(earlier[at], labels) } : {}),
  }));
  return writeJson(picked, 2);
}

/** As people read it: with units, and with OTHER and the total. */
export function asMarkdown({ groups, labels, rows, earlier, sums }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(markdownCell).join(" | ")} |`;
  const numbers = (row: Row | undefined) => labels.map((name) => shown(row?.[name], unitOf(name)));
  const values = (row: Row, before: Row | undefined) => [...numbers(row), ...(earlier ? numbers(before) : [])];
  const titles = [...labels, ...(earlier ? labels.map((label) => label + EARLIER) : [])];
  return [
    line([...groups, ...titles]),
    `|${groups.map(() => " --- |").join("")}${titles.map(() => " ---: |").join("")}`,
    ...rows.map((row, at) => line([...groups.map((name) => wordOf(row[name])), ...values(row, earlier?.[at])])),
    ...sums.map(({ name, row, before }) => line([name, ...groups.slice(1).map(() => ""), ...values(row, before)])),
    "",
  ].join("\n");
}

/** A text that stays one, whatever it holds: no markup, no second line, no further cell. */
function markdownCell(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>|~&#!$]/g, "\\$&").replaceAll(/\s+/g, " ");
}

// Rows as text: what is copied is what is shown, in its order; numbers keep all their digits.

import { writeJson } from "../../../api/exact";
import { shown, unitOf } from "../../../look/units";
import { wordOf, type Row } from "../graphs/answer";

export interface Table {
  groups: readonly string[];
  labels: readonly string[];
  rows: readonly Row[];
}

export function asCsv({ groups, labels, rows }: Table): string {
  const names = [...groups, ...labels];
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  return lines.map((line) => line.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" ? value : writeJson(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function asJson({ groups, labels, rows }: Table): string {
  const names = [...groups, ...labels];
  const picked = rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null])));
  return writeJson(picked, 2);
}

export function asMarkdown({ groups, labels, rows }: Table): string {
  const cell = (text: string) => text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll(/[\r\n]+/g, " ");
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [
    line([...groups, ...labels]),
    `|${groups.map(() => " --- |").join("")}${labels.map(() => " ---: |").join("")}`,
    ...rows.map((row) =>
      line([...groups.map((name) => wordOf(row[name])), ...labels.map((name) => shown(row[name], unitOf(name)))]),
    ),
  ].join("\n");
}

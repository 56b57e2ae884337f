// A difference between two traces, in words.

import { writeJson } from "../../../api/exact";
import type { Operations } from "../../../api/types";
import { duration, plain } from "../../../look/units";

export type Difference = Operations["compareTraces"]["answer"]["differences"][number];

/** The sentence for a difference; `here` is the compared trace. */
export function say(one: Difference): string {
  const name = one.name ? `“${one.name}”` : "a span that is not stored";
  const where = `${one.service ? ` of ${one.service}` : ""}${one.parent ? ` in “${one.parent}”` : ""}`;
  const more = one.spans > 1 ? `, with ${plain(one.spans - 1)} below it` : "";
  switch (one.what) {
    case "missing":
      return `${name}${where} is missing${more}`;
    case "added":
      return `${name}${where} was added${more}`;
    case "failed":
      return `${name}${where} failed, and did not in the other`;
    case "recovered":
      return `${name}${where} did not fail, and did in the other`;
    case "repeated":
      return `${name}${where} ran once more${more}`;
    case "slower":
      return `${name}${where} took ${time(one.found)} itself, ${time(one.usual)} in the other`;
    case "field":
      return `${name}${where}: ${one.field ?? "a field"} is ${text(one.found)}, ${text(one.usual)} in the other`;
  }
}

function time(value: unknown): string {
  return typeof value === "number" ? duration(value) : text(value);
}

function text(value: unknown): string {
  if (value === null || value === undefined) return "absent";
  return writeJson(value);
}

// What people paste as a question: a link to one, a command, a call of the API, a specification.

import { placeOf, type Place } from "../../../../address";
import { readJson } from "../../../../api/exact";
import type { Query } from "../../../../api/types";
import { writeQuestion } from "../../use_question";

export type Pasted = { place: Place } | { ask: string; dataset: string | null };

/** What a text stands for that is no question in words; null for any other text. */
export async function understood(pasted: string): Promise<Pasted | null> {
  const text = pasted.trim();
  return ofLink(text) ?? ofCommand(text) ?? (await ofSpecification(text));
}

/** Whether a text may be one of these, before it is looked at closely. */
export function mayBe(text: string): boolean {
  return /^\s*(https?:\/\/\S+\s*$|bellwether\s+query\s|curl\s|\{)/.test(text);
}

function ofLink(text: string): Pasted | null {
  if (!/^https?:\/\/\S+$/.test(text)) return null;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  if (!url.pathname.startsWith("/ui/")) return null;
  const place = placeOf(url);
  if (url.origin === location.origin) return { place };
  // results of another system are not here
  return place.view === "query" ? { ask: place.ask, dataset: place.dataset } : null;
}

function ofCommand(text: string): Pasted | null {
  if (!/^bellwether\s+query\s/.test(text)) return null;
  const words = wordsOf(text).slice(2);
  const plain: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (!word.startsWith("--")) plain.push(word);
    else if (!word.includes("=") && WITH_VALUE.has(word)) at += 1;
  }
  const [dataset, ...rest] = plain;
  return dataset !== undefined && rest.length ? { ask: rest.join(" "), dataset } : null;
}

const WITH_VALUE = new Set(["--data", "--url", "--key", "--zone", "--format"]);

async function ofSpecification(text: string): Promise<Pasted | null> {
  let body = text;
  let dataset: string | null = null;
  if (/^curl\s/.test(text)) {
    const words = wordsOf(text);
    body = words.find((_, at) => at > 0 && /^(-d|--data|--data-raw|--json)$/.test(words[at - 1] ?? "")) ?? "";
    const address = words.find((one) => /\/1\/(query_results|queries)\//.test(one)) ?? "";
    const named = /\/1\/(?:query_results|queries)\/([^/?#]+)/.exec(address)?.[1];
    dataset = named === undefined ? null : decoded(named);
  }
  if (!body.startsWith("{")) return null;
  try {
    const read = readJson(body) as { query?: unknown };
    const spec = typeof read.query === "object" && read.query !== null ? read.query : read;
    const ask = await writeQuestion(spec as Query);
    return ask === null ? null : { ask, dataset };
  } catch {
    return null; // no specification: it stays what was pasted, and the server says what is wrong
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The words of a shell's line, without its quotes. */
export function wordsOf(line: string): string[] {
  const found: string[] = [];
  for (const match of line.replace(/\\\r?\n/g, " ").matchAll(/(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\])+/g)) {
    found.push(
      match[0].replace(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g, (_, single?: string, double?: string, one?: string) =>
        single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? one ?? "",
      ),
    );
  }
  return found;
}

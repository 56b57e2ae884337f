// Which fields and values a dataset has, for completion: asked once a minute, for each dataset.

import { call } from "../../../../api/client";
import { ALL_DATASETS } from "../../../../api/datasets";

export interface Field {
  name: string;
  types: readonly string[];
  /** Whether it has numbers. */
  number: boolean;
  /** How common it is, where that is known: 0 to 1. */
  share: number;
  /** How many values it has, about. */
  distinct: number | null;
  /** Some frequent values. */
  examples: readonly unknown[];
}

const KEPT_MS = 60_000;
const PAGES_MAX = 4;
const PREFIXES_KEPT = 200;
const VALUES = 20;
const EXAMPLES = 10;
/** Where all datasets are asked, only so many are asked for their fields. */
const DATASETS_MAX = 8;

interface Kept<T> {
  at: number;
  value: Promise<T>;
}

interface Listed {
  name: string;
  types?: string[];
  share?: number;
  hidden?: boolean;
  distinct?: number | null;
  values?: { value: unknown }[];
}

const fields = new Map<string, Kept<Field[]>>();
const values = new Map<string, Kept<unknown[]>>();

/** The fields of a dataset; none where they cannot be told. */
export function fieldsOf(dataset: string): Promise<Field[]> {
  return kept(fields, dataset, () => allFields(dataset));
}

/** Values of a field that begin so, the most frequent first. */
export function valuesOf(dataset: string, field: string, prefix: string): Promise<unknown[]> {
  return kept(values, JSON.stringify([dataset, field, prefix]), async () => {
    const ask = (one: string) => call("storedValues", { path: { dataset: one, field }, query: { prefix, limit: VALUES } });
    const answers = await Promise.all((await datasetsOf(dataset)).map(ask));
    return [...new Set(answers.flatMap((answer) => answer.values.map((one) => one.value)))].slice(0, VALUES);
  });
}

/** What is kept; what is old is given once more while it is asked anew, so that nobody waits for it. */
function kept<T>(cache: Map<string, Kept<T[]>>, key: string, ask: () => Promise<T[]>): Promise<T[]> {
  const known = cache.get(key);
  if (known && Date.now() - known.at < KEPT_MS) return known.value;
  const next: Kept<T[]> = { at: Date.now(), value: Promise.resolve([]) };
  next.value = ask().catch(() => {
    // completion is a help: without it one types, and the next try asks again
    if (cache.get(key) === next) cache.delete(key);
    return [];
  });
  if (cache.size >= PREFIXES_KEPT) cache.clear();
  cache.set(key, next);
  return known?.value ?? next.value;
}

/** Those of the datasets that were written to last, where all are asked. */
async function datasetsOf(dataset: string): Promise<string[]> {
  if (dataset !== ALL_DATASETS) return [dataset];
  const listed = (await call("listDatasets")) as { slug?: string; last_written_at?: string | null }[];
  const last = (one: { last_written_at?: string | null }) => one.last_written_at ?? "";
  return listed
    .sort((one, other) => last(other).localeCompare(last(one)))
    .flatMap((one) => (one.slug ? [one.slug] : []))
    .slice(0, DATASETS_MAX);
}

async function allFields(asked: string): Promise<Field[]> {
  const found = new Map<string, Field>();
  for (const some of await Promise.all((await datasetsOf(asked)).map(fieldsOfOne))) {
    for (const one of some) if (!found.has(one.name)) found.set(one.name, one);
  }
  return [...found.values()];
}

async function fieldsOfOne(dataset: string): Promise<Field[]> {
  const found: Field[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await call("storedFields", { path: { dataset }, query: { samples: EXAMPLES, cursor } });
    for (const one of answer.fields as Listed[]) {
      const types = one.types ?? [];
      const number = types.includes("integer") || types.includes("float");
      if (one.hidden) continue;
      const examples = (one.values ?? []).map((each) => each.value);
      found.push({ name: one.name, types, number, share: one.share ?? 0, distinct: one.distinct ?? null, examples });
    }
    if (!answer.next) break;
    cursor = answer.next;
  }
  return found;
}

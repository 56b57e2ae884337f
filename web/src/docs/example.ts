// A value that a schema allows, for reading: made where the document gives none.

import { nameOf, type OpenApi, type Schema, type Told } from "./document";

const DEPTH = 5;
/** Members of an example that need not be there: enough to see how it looks. */
const MEMBERS = 8;

const BY_NAME: Record<string, unknown> = {
  dataset: "checkout",
  time: "2026-01-31T14:03:07.25Z",
  name: "web",
  column: "duration_ms",
  key_name: "duration_ms",
  partitions: [],
};

export function exampleOf(api: OpenApi, schema: Schema, name = "", depth = 0): unknown {
  if (schema.$ref) {
    const found = api.components.schemas[nameOf(schema.$ref)];
    return found && depth < DEPTH ? exampleOf(api, found, name, depth + 1) : {};
  }
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) {
    const [first] = schema.anyOf;
    return first ? exampleOf(api, first, name, depth) : null;
  }
  const known = BY_NAME[name];
  switch (schema.type) {
    case "object":
      return object(api, schema, depth);
    case "array":
      if (Array.isArray(known) || !schema.items || depth >= DEPTH) return [];
      return [exampleOf(api, schema.items, name, depth + 1)];
    case "integer":
    case "number":
      return Math.max(schema.minimum ?? 1, Math.min(1, schema.maximum ?? 1));
    case "boolean":
      return true;
    case "string":
      return typeof known === "string" ? known : "…".padEnd(schema.minLength ?? 0, "…");
    default:
      return known ?? "…";
  }
}

function object(api: OpenApi, schema: Schema, depth: number): Record<string, unknown> {
  if (depth >= DEPTH) return {};
  const needed = new Set(schema.required ?? []);
  let more = MEMBERS;
  const found: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(schema.properties ?? {})) {
    if (!needed.has(name) && (depth > 1 || more-- <= 0)) continue;
    found[name] = exampleOf(api, one, name, depth + 1);
  }
  return found;
}

/** The example of a body: the document's own, or what its schema needs. */
export function bodyExample(api: OpenApi, { of }: Told): unknown {
  const [media] = Object.entries(of.requestBody?.content ?? {}).filter(([kind]) => kind === "application/json");
  const one = media?.[1];
  if (!one) return undefined;
  return one.example ?? (one.schema ? exampleOf(api, one.schema, "", 1) : undefined);
}

/** A line for a shell that asks for it; values in capitals are the reader's. */
export function curlOf(api: OpenApi, told: Told): string {
  const { of, method } = told;
  const path = told.path.replace(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase());
  const needed = (of.parameters ?? []).filter((one) => one.in === "query" && one.required);
  const query = needed.map((one) => `${one.name}=${one.name.toUpperCase()}`).join("&");
  const lines = [`curl -s ${method === "GET" ? "" : `-X ${method} `}"${api.servers[0]?.url ?? ""}${path}${query && `?${query}`}"`];
  if (of.security?.length !== 0) lines.push(`-H "X-Honeycomb-Team: $KEY"`);
  const kinds = Object.keys(of.requestBody?.content ?? {});
  const body = bodyExample(api, told);
  if (body !== undefined) {
    lines.push(`-H "Content-Type: application/json"`, `-d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`);
  } else if (kinds[0]) {
    lines.push(`-H "Content-Type: ${kinds[0]}"`, "--data-binary @FILE");
  }
  return lines.join(" \\\n  ");
}

// What is used of the OpenAPI document, and which of its operations have the words one looks for.

export interface Schema {
  type?: string;
  description?: string;
  $ref?: string;
  enum?: readonly string[];
  anyOf?: readonly Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  additionalProperties?: boolean | Schema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  schema: Schema;
  required?: boolean;
  description?: string;
}

export interface Media {
  schema?: Schema;
  example?: unknown;
}

export interface Answer {
  description: string;
  content?: Record<string, Media>;
  headers?: Record<string, { description?: string }>;
}

export interface Operation {
  operationId: string;
  tags: readonly string[];
  summary: string;
  description?: string;
  parameters?: readonly Parameter[];
  requestBody?: { required?: boolean; content: Record<string, Media> };
  responses: Record<string, Answer>;
  security?: readonly unknown[];
}

export interface OpenApi {
  info: { title: string; version: string; description: string };
  servers: readonly { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** An operation with its method and path, and all of its words in small letters. */
export interface Told {
  method: string;
  path: string;
  of: Operation;
  words: string;
}

export interface Group {
  name: string;
  operations: readonly Told[];
}

/** The operations under their headings, in the order of the document. */
export function groupsOf(api: OpenApi): Group[] {
  const groups = new Map<string, Told[]>();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, of] of Object.entries(methods)) {
      const name = of.tags[0] ?? "Other";
      const words = `${method} ${path} ${name} ${JSON.stringify(of)}`.toLowerCase();
      const one = { method: method.toUpperCase(), path, of, words };
      const all = groups.get(name);
      if (all) all.push(one);
      else groups.set(name, [one]);
    }
  }
  return [...groups].map(([name, operations]) => ({ name, operations }));
}

/** Those that have every word; headings without any are left out. */
export function matching(groups: readonly Group[], search: string): Group[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return groups
    .map(({ name, operations }) => ({
      name,
      operations: operations.filter((one) => words.every((word) => one.words.includes(word))),
    }))
    .filter((group) => group.operations.length > 0);
}

export const anchorOf = (one: Operation) => `op-${one.operationId}`;
export const schemaAnchor = (name: string) => `schema-${name}`;
export const nameOf = (ref: string) => ref.slice(ref.lastIndexOf("/") + 1);

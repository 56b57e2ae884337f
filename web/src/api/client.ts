// Calls the public API: typed by the document that the server publishes.

import { noteReached, noteUnreachable } from "./connection";
import { readJson, writeJson } from "./exact";
import { PATHS, type Fault, type Operations } from "./types";

type Id = keyof Operations;
type Scalar = string | number | bigint | boolean;

export interface CallOptions<K extends Id> {
  /** Values of the names in the path. */
  path?: Record<string, string>;
  query?: Record<string, Scalar | readonly Scalar[] | undefined>;
  body?: Operations[K]["body"];
  signal?: AbortSignal;
}

/** An answer that is no success: what the server said of it. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** Which members of the body are wrong, and why. */
    readonly faults: readonly Fault[] = [],
    /** Seconds after which it is worth asking again. */
    readonly retryAfterS: number | null = null,
  ) {
    super(message);
  }
}

/** The server could not be reached at all. */
export class Unreachable extends Error {}

const UNKNOWN_KEY = 401;
/** Calls that ask whether there is a session. */
const ASKING: ReadonlySet<Id> = new Set(["session", "logIn", "logOut"]);
const ended = new Set<() => void>();

/** Call `listener` when an answer says that the session has ended; returns what stops that. */
export function onSessionEnd(listener: () => void): () => void {
  ended.add(listener);
  return () => void ended.delete(listener);
}

/** The address of an operation. */
export function addressOf(
  id: Id,
  path: Record<string, string> = {},
  query: CallOptions<Id>["query"] = {},
): string {
  const filled = PATHS[id][1].replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = path[name];
    if (value === undefined) throw new Error(`${id} needs ${name}`);
    return encodeURIComponent(value);
  });
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) given.append(name, String(one));
  }
  const text = given.toString();
  return text ? `${filled}?${text}` : filled;
}

/** The answer of an operation. Throws ApiError, Unreachable, or the signal's reason. */
export async function call<K extends Id>(
  id: K,
  options: CallOptions<K> = {},
): Promise<Operations[K]["answer"]> {
  const response = await respond(id, options);
  if (response.status === 204) return null as Operations[K]["answer"];
  return readJson(await read(response, options.signal)) as Operations[K]["answer"];
}

/** Each line of an answer that goes on, as JSON, until it ends. Throws as `call` does. */
export async function* lines<K extends Id>(
  id: K,
  options: CallOptions<K>,
  onOpen: () => void,
): AsyncGenerator<unknown> {
  const response = await respond(id, options);
  onOpen();
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const piece = await next(reader, options.signal);
      if (!piece || piece.done) return;
      const parts = (rest + piece.value).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) if (line) yield readJson(line);
    }
  } finally {
    // who does not read on keeps no connection
    reader?.cancel().catch(() => undefined);
  }
}

async function next(
  reader: ReadableStreamDefaultReader<string> | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadableStreamReadResult<string> | undefined> {
  try {
    return await reader?.read();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable("the server cannot be reached");
  }
}

async function respond<K extends Id>(id: K, options: CallOptions<K>): Promise<Response> {
  const { body, signal } = options;
  const headers: Record<string, string> = { "X-Bellwether-Page": "1" };
  const request: RequestInit = { method: PATHS[id][0], headers, credentials: "same-origin" };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    request.body = writeJson(body);
  }
  if (signal) request.signal = signal;
  let response: Response;
  try {
    response = await fetch(addressOf(id, options.path, options.query), request);
  } catch (error) {
    if (signal?.aborted) throw error;
    noteUnreachable();
    throw new Unreachable("the server cannot be reached");
  }
  noteReached();
  if (response.status === UNKNOWN_KEY && !ASKING.has(id)) for (const listener of ended) listener();
  if (!response.ok) throw await errorOf(response);
  return response;
}

/** The whole body, which a server that goes away leaves unfinished. */
async function read(response: Response, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable("the server cannot be reached");
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const wait = Number(response.headers.get("Retry-After"));
  let told: { error?: string; detail?: string; type_detail?: Fault[] } = {};
  try {
    told = await response.json();
  } catch {
    // a proxy's page, or nothing
  }
  return new ApiError(
    response.status,
    told.detail || told.error || `the server answered ${response.status}`,
    told.type_detail ?? [],
    Number.isFinite(wait) && wait > 0 ? wait : null,
  );
}

// A trace as the server tells it: all pages of its lines, put together.

import { call } from "../../api/client";
import type { Coverage } from "../../api/types";

export interface Line {
  kind: "span" | "missing" | "event" | "link";
  depth: number;
  /** Of what happened in a span: that span. */
  span_id: string;
  start: string;
  offset_ms: number;
  duration_ms: number | null;
  spans_below?: number;
  parent_id?: string | null;
  name?: string;
  service?: string;
  dataset?: string;
  error?: boolean;
  error_by?: string[];
  self_ms?: number | null;
  link?: { trace_id: string; span_id: string };
  span_kind?: string;
  process?: string;
  marks?: string[];
  outside_parent_ms?: number;
  message?: string;
  fields?: Record<string, unknown>;
  open?: { how: string; known_by: string; since: string; last: string; why: string };
}

export interface Linked {
  trace_id: string;
  span_id: string;
  own_span_id: string;
  name?: string;
  service?: string;
  spans?: number;
  errors?: number;
  duration_ms?: number;
  note?: string;
}

export interface Trace {
  trace_id: string;
  lines: Line[];
  next: string | null;
  start?: string;
  end?: string;
  duration_ms?: number;
  spans?: number;
  events?: number;
  errors?: number;
  missing?: number;
  outside_parent?: number;
  open?: Record<string, number>;
  services?: Record<string, number>;
  datasets?: Record<string, number>;
  judged_at?: string;
  links?: { from: Linked[]; to: Linked[] };
  coverage: Coverage;
  notes: string[];
}

const PAGE_LINES = 10_000;

/** The whole trace. fields: members that each line tells too. Throws ApiError. */
export async function loadTrace(
  id: string,
  signal: AbortSignal,
  { fields = [], links = false }: { fields?: string[]; links?: boolean } = {},
): Promise<Trace> {
  const query = { limit: PAGE_LINES, links, field: fields };
  const first = (await call("trace", { path: { trace_id: id }, query, signal })) as Trace;
  const lines = first.lines;
  let cursor = first.next;
  while (cursor !== null) {
    const page = (await call("trace", {
      path: { trace_id: id },
      query: { limit: PAGE_LINES, field: fields, cursor },
      signal,
    })) as Trace;
    for (const line of page.lines) lines.push(line);
    cursor = page.next;
  }
  return { ...first, lines, next: null };
}

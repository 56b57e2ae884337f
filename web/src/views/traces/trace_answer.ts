// A trace as the server tells it: all pages of its lines, put together.

import { call } from "../../api/client";
import type { Operations } from "../../api/types";

export type Trace = Operations["trace"]["answer"];
export type Line = Trace["lines"][number];
export type Linked = NonNullable<Trace["links"]>["from"][number];

const PAGE_LINES = 10_000;

/** The whole trace. fields: members that each line tells too. Throws ApiError. */
export async function loadTrace(
  id: string,
  signal: AbortSignal,
  { fields = [], links = false }: { fields?: string[]; links?: boolean } = {},
): Promise<Trace> {
  const query = { limit: PAGE_LINES, links, field: fields };
  const first = await call("trace", { path: { trace_id: id }, query, signal });
  const lines = first.lines;
  let cursor = first.next;
  while (cursor !== null) {
    const page: Trace = await call("trace", {
      path: { trace_id: id },
      query: { limit: PAGE_LINES, field: fields, cursor },
      signal,
    });
    for (const line of page.lines) lines.push(line);
    cursor = page.next;
  }
  return { ...first, lines, next: null };
}

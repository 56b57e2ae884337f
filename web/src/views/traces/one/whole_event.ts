// The event behind a line, with all its fields: looked for by id and time.

import { call } from "../../../api/client";
import type { Filter, Row } from "../../../api/types";
import type { Line } from "../trace_answer";

const OF_SPANS = ["trace.span_id", "id"];
const OF_OTHERS = ["trace.parent_id", "parentId", "span_id", "spanId"];
const OF_A_TRACE = ["trace.trace_id", "trace_id", "traceId"];
const MOST = 1000;

/** The event; null if none has this id and this time under the usual names of fields. */
export async function eventOf(line: Line, trace: string, signal: AbortSignal): Promise<Row | null> {
  if (!line.dataset) return null;
  const [id, names]: [string, readonly string[]] =
    line.kind === "span"
      ? [line.span_id, OF_SPANS]
      : line.span_id
        ? [line.span_id, OF_OTHERS]
        : [trace, OF_A_TRACE];
  const either: Filter[] = names.flatMap((column) =>
    [...new Set([id, id.toUpperCase()])].map((value): Filter => ({ column, op: "=", value })),
  );
  const second = Math.floor(Date.parse(line.start) / 1000);
  const answer = await call("rows", {
    body: {
      dataset: line.dataset,
      filters: either,
      filter_combination: "OR",
      start_time: second,
      end_time: second + 1,
      limit: MOST,
    },
    signal,
  });
  // ids of spans are unique within a trace only
  const wanted = folded(trace);
  const same = answer.rows.filter((row) => {
    const name = OF_A_TRACE.find((one) => row.data[one] !== undefined);
    return row.time === line.start && (name === undefined || folded(String(row.data[name])) === wanted);
  });
  return same.find((row) => !line.name || row.data["name"] === line.name) ?? same[0] ?? null;
}

/** One text for all spellings of an id: capitals, dashes, zeros in front; a traceparent is its id. */
function folded(id: string): string {
  const within = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/i.exec(id)?.[1] ?? id;
  return within.toLowerCase().replaceAll("-", "").replace(/^0+/, "");
}

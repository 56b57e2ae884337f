// The answer of a question: graphs, and under them the groups as rows.

import { useMemo, useState } from "preact/hooks";
import type { Query } from "../../api/types";
import { Problem } from "../../parts/problem";
import { readAnswer } from "./graphs/answer";
import type { QueryPlace } from "./graphs/change";
import { Graphs } from "./graphs/graphs";
import { Shared } from "./graphs/shared";
import { GroupTable, type Row } from "./table";
import type { Result } from "./use_result";

export function Results({ place, result }: { place: QueryPlace; result: Result }) {
  // What was asked for this answer, which is an older question than the address while another runs.
  const spec = result.query as Query;
  const of = useMemo(() => readAnswer(result, spec), [result]);
  const [shared] = useState(() => new Shared());
  const [fault, setFault] = useState<unknown>(null);
  const data = (result.data ?? {}) as {
    results?: { data: Row }[];
    total_by_aggregate?: Row;
    other_by_aggregate?: Row;
  };
  const counted = (result.groups ?? {}) as { total?: number; returned?: number };
  return (
    <>
      {fault !== null && <Problem error={fault} />}
      {of && <Graphs place={place} spec={spec} of={of} shared={shared} id={result.id} onFault={setFault} />}
      <GroupTable
        spec={spec}
        rows={(data.results ?? []).map((row) => row.data)}
        total={data.total_by_aggregate}
        other={data.other_by_aggregate}
        otherGroups={(counted.total ?? 0) - (counted.returned ?? 0)}
      />
    </>
  );
}

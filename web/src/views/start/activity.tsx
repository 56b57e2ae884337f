// The events of a dataset in the last hour, and what it has stored, as cells of a table.

import { useRef } from "preact/hooks";
import { call } from "../../api/client";
import { bytes, plain } from "../../look/units";
import { Sparkline } from "../../parts/sparkline";
import { useAnswer } from "../../parts/use_answer";
import { useSeen } from "../../parts/use_seen";

const HOUR_S = 3600;
const INCOMPLETE = "Some partitions did not answer: there may be more.";

interface Counted {
  COUNT?: number;
}

export function DatasetActivity({ dataset }: { dataset: string }) {
  const cell = useRef<HTMLTableCellElement>(null);
  // Of hundreds of datasets only those are asked that one looks at.
  const seen = useSeen(cell);
  const counted = useAnswer(seen ? dataset : null, async (signal) => {
    const answer = await call("createQueryResult", {
      path: { dataset },
      body: { query: { calculations: [{ op: "COUNT" }], time_range: HOUR_S, granularity: 120 }, wait_s: 10 },
      signal,
    });
    if (!answer.complete) throw new Error("Counting takes too long."); // and is not nothing
    const rows = (answer.data?.series ?? []) as { data: Counted }[];
    const counts = rows.map((row) => row.data.COUNT ?? 0);
    return { counts, complete: answer.coverage?.complete !== false };
  });
  const stored = useAnswer(seen ? `${dataset} stored` : null, (signal) =>
    call("storedFields", { path: { dataset }, query: { limit: 1, samples: 0 }, signal }),
  );
  const values = counted.value?.counts ?? [];
  const all = values.reduce((sum, one) => sum + one, 0);
  return (
    <>
      <td ref={cell}>
        <Sparkline values={values} width={480} label={`${plain(all)} events in the last hour`} />
      </td>
      <td class="number" data-name="last hour" title={counted.value?.complete === false ? INCOMPLETE : undefined}>
        {counted.value?.complete === false && "⚠ at least "}
        {counted.value ? plain(all) : counted.error ? "✕" : "…"}
      </td>
      <td class="number" data-name="size" title={stored.value ? `${plain(stored.value.stored)} events stored` : undefined}>
        {stored.value ? bytes(stored.value.bytes) : stored.error ? "✕" : "…"}
      </td>
    </>
  );
}

// The events of a dataset in the last hour, and what it has stored, as cells of a table.

import { call } from "../../api/client";
import { bytes, plain } from "../../look/units";
import { Sparkline } from "../../parts/sparkline";
import { useAnswer } from "../../parts/use_answer";

const HOUR_S = 3600;

interface Counted {
  COUNT?: number;
}

export function DatasetActivity({ dataset }: { dataset: string }) {
  const counted = useAnswer(dataset, async (signal) => {
    const answer = await call("createQueryResult", {
      path: { dataset },
      body: { query: { calculations: [{ op: "COUNT" }], time_range: HOUR_S, granularity: 120 }, wait_s: 10 },
      signal,
    });
    if (!answer.complete) throw new Error("Counting takes too long."); // and is not nothing
    const rows = (answer.data?.series ?? []) as { data: Counted }[];
    return rows.map((row) => row.data.COUNT ?? 0);
  });
  const stored = useAnswer(`${dataset} stored`, (signal) =>
    call("storedFields", { path: { dataset }, query: { limit: 1, samples: 0 }, signal }),
  );
  const values = counted.value ?? [];
  const all = values.reduce((sum, one) => sum + one, 0);
  return (
    <>
      <td>
        <Sparkline values={values} width={480} label={`${plain(all)} events in the last hour`} />
      </td>
      <td class="number" data-name="last hour">{counted.value ? plain(all) : counted.error ? "✕" : "…"}</td>
      <td class="number" data-name="size" title={stored.value ? `${plain(stored.value.stored)} events stored` : undefined}>
        {stored.value ? bytes(stored.value.bytes) : stored.error ? "✕" : "…"}
      </td>
    </>
  );
}

// The fields of an event: each value leads to a question about it, or to what the trace's other spans have.

import { isNumber, writeJson } from "../../../api/exact";
import { useState } from "preact/hooks";
import { linkTo } from "../../../address";
import { duration, plain, shown, unitOf } from "../../../look/units";
import { Problem } from "../../../parts/problem";
import { useAnswer } from "../../../parts/use_answer";
import { quotedName, quotedValue } from "../../query/question/tokens";
import { loadTrace } from "../trace_answer";

interface Props {
  trace: string;
  dataset: string;
  data: Record<string, unknown>;
  wanted: string;
}

const LISTED = 12;

export function FieldRows({ trace, dataset, data, wanted }: Props) {
  const [opened, setOpened] = useState<string | null>(null);
  const word = wanted.toLowerCase();
  const fields = Object.entries(data)
    .filter(([name, value]) => !word || name.toLowerCase().includes(word) || text(value).toLowerCase().includes(word))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (!fields.length) return <p class="quiet">No field has {JSON.stringify(wanted)} in its name or value.</p>;
  return (
    <table>
      <tbody>
        {fields.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">
              <button class="small" aria-expanded={opened === name} onClick={() => setOpened(opened === name ? null : name)}>
                {name}
              </button>
            </th>
            <td>
              {text(value)}
              {unitOf(name).unit !== "number" && isNumber(value) && <span class="quiet"> ({shown(value, unitOf(name))})</span>}
              {opened === name && <Asks trace={trace} dataset={dataset} name={name} value={value} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Asks({ trace, dataset, name, value }: { trace: string; dataset: string; name: string; value: unknown }) {
  const scalar = typeof value === "string" || isNumber(value) || typeof value === "boolean";
  const others = useAnswer(`${trace} ${name}`, async (signal) => {
    const answer = await loadTrace(trace, signal, { fields: [name] });
    const counts = new Map<string, { count: number; time: number }>();
    for (const line of answer.lines) {
      if (line.kind !== "span") continue;
      const had = line.fields && name in line.fields ? text(line.fields[name]) : "(absent)";
      const old = counts.get(had) ?? { count: 0, time: 0 };
      counts.set(had, { count: old.count + 1, time: old.time + (line.self_ms ?? 0) });
    }
    return [...counts].sort((a, b) => b[1].count - a[1].count);
  });
  return (
    <div class="asks small">
      {scalar && (
        <a {...linkTo({ view: "query", dataset, ask: `COUNT WHERE ${quotedName(name)} = ${quotedValue(value)} LAST 2h` })}>
          ask about this value
        </a>
      )}
      {others.error ? <Problem error={others.error} again={others.again} /> : null}
      {others.value && (
        <>
          <p class="quiet">in the spans of this trace, with their own time:</p>
          <ul>
            {others.value.slice(0, LISTED).map(([had, { count, time }]) => (
              <li key={had}>
                {had === text(value) ? <b>{had}</b> : had}: {plain(count)} · {duration(time)}
              </li>
            ))}
            {others.value.length > LISTED && <li class="quiet">and {plain(others.value.length - LISTED)} more values</li>}
          </ul>
        </>
      )}
    </div>
  );
}

function text(value: unknown): string {
  return typeof value === "string" ? value : writeJson(value);
}

// Where no event matches: how many would without each condition, by one question, and a click that
// leaves it out.

import { useState } from "preact/hooks";
import { call } from "../../../../api/client";
import { asNumber } from "../../../../api/exact";
import type { Calculation, Filter, Query } from "../../../../api/types";
import { plain } from "../../../../look/units";
import { Problem } from "../../../../parts/problem";
import { useAnswer } from "../../../../parts/use_answer";
import { visible } from "../typing/offers";
import { sayFilter } from "../builder/say";
import type { Result } from "../../use_result";

interface Props {
  dataset: string;
  /** What was asked. */
  spec: Query;
  /** Whether it costs so little that it is asked without being told to. */
  cheap: boolean;
  onSpec: (spec: Query) => void;
}

/** So many conditions are told apart: each is left out once, and stands alone once. */
const CONDITIONS_MAX = 12;
const WAIT_S = 20;

/** Whether an answer has nothing to show: no group, or none of its values. */
export function isEmpty(result: Result): boolean {
  const rows = ((result.data ?? {}) as { results?: { data: Record<string, unknown> }[] }).results;
  if (!result.complete || !rows) return false;
  const none = (value: unknown) => value === null || asNumber(value) === 0 || (Array.isArray(value) && !value.length);
  return rows.every((row) => Object.values(row.data).every(none));
}

export function Nothing({ dataset, spec, cheap, onSpec }: Props) {
  const [wanted, setWanted] = useState(cheap);
  const filters = spec.filters ?? [];
  const either = spec.filter_combination === "OR";
  const shown = filters.slice(0, CONDITIONS_MAX);
  const answer = useAnswer(wanted ? JSON.stringify([dataset, spec]) : null, async (signal) => {
    const body = { query: questionOf(spec, shown, either), wait_s: WAIT_S, disable_series: true };
    const found = await call("createQueryResult", { path: { dataset }, body, signal });
    const rows = ((found.data ?? {}) as { results?: { data: Record<string, unknown> }[] }).results;
    const counts = rows?.[0]?.data;
    if (!counts) throw new Error("It takes too long to tell.");
    return (name: string) => asNumber(counts[name]) ?? 0;
  });
  const count = answer.value;
  const all = count?.("all") ?? 0;
  const lines = shown
    .map((filter, at) => ({ filter, at, without: count?.(`without ${at}`) ?? 0, alone: count?.(`alone ${at}`) ?? 0 }))
    .sort((one, other) => other.without - one.without || one.alone - other.alone);
  const { havings, ...unfiltered } = spec;
  return (
    <section class="panel block" aria-label="Why there is nothing">
      <h2>{havings?.length && spec.breakdowns?.length ? "No group" : "No event matches"}</h2>
      {havings?.length ? (
        <p>
          HAVING leaves groups out. <button class="ask-chip" onClick={() => onSpec(unfiltered)}>Ask without HAVING</button>
        </p>
      ) : null}
      {!wanted && filters.length > 0 && <button onClick={() => setWanted(true)}>Which condition removed the most?</button>}
      {answer.slow && <p class="quiet small">Counting without each condition…</p>}
      {answer.error !== null && <Problem error={answer.error} again={answer.again} />}
      {count && all === 0 && <p>There is no event in this range at all: press z to look at twice as long.</p>}
      {count && all > 0 && (
        <>
          <p class="quiet">
            {plain(all)} events are in the range.
            {either ? " None meets one of the conditions." : lines.every((one) => one.without === 0) && " Leaving out one condition is not enough."}
          </p>
          <ul class="ask-nothing">
            {lines.map((one) => (
              <li key={one.at}>
                <span class="number">{plain(either ? one.alone : one.without)}</span>
                <span>
                  {either ? "with " : "without "}
                  <code>{visible(sayFilter(one.filter))}</code>
                  {!either && <span class="quiet"> – {plain(one.alone)} with it alone</span>}
                </span>
                <button class="ask-chip" onClick={() => onSpec(leftOut(spec, one.at))}>
                  Leave it out
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      {!filters.length && !havings?.length && <p>There is no event in this range: press z to look at twice as long.</p>}
    </section>
  );
}

/** Counts of all events, without each condition, and with each alone. */
function questionOf(spec: Query, filters: readonly Filter[], either: boolean): Query {
  const counted = (name: string, some: Filter[]): Calculation => ({ op: "COUNT", name, ...(some.length ? { filters: some } : {}) });
  const each = filters.flatMap((filter, at) => [
    counted(`alone ${at}`, [filter]),
    ...(either ? [] : [counted(`without ${at}`, (spec.filters ?? []).filter((_, other) => other !== at))]),
  ]);
  const { calculated_fields, start_time, end_time, time_range, time_axis, usage_mode } = spec;
  const kept = Object.entries({ calculated_fields, start_time, end_time, time_range, time_axis, usage_mode });
  return { ...(Object.fromEntries(kept.filter(([, value]) => value !== undefined)) as Query), calculations: [counted("all", []), ...each] };
}

function leftOut(spec: Query, at: number): Query {
  const { filters = [], filter_combination, ...rest } = spec;
  const left = filters.filter((_, other) => other !== at);
  if (!left.length) return rest;
  return { ...rest, filters: left, ...(filter_combination && left.length > 1 ? { filter_combination } : {}) };
}

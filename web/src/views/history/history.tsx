// What was asked before: by me, or by everyone of the environment; a click asks it again.

import { go, linkTo, type Place } from "../../address";
import { call } from "../../api/client";
import { timeOf, utcOf } from "../../look/times";
import { duration, plain } from "../../look/units";
import { Problem } from "../../parts/problem";
import { useAnswer } from "../../parts/use_answer";
import { usePages } from "../../parts/use_pages";
import { useSearch } from "../../parts/use_search";
import type { Who } from "../../session";
import { CoverageWords } from "../query/coverage";
import { folded, type Asked, type Told } from "./asked";
import "./history.css";

type HistoryPlace = Extract<Place, { view: "history" }>;

const MONTH_S = 30 * 86_400;
const PAGE = 200;

export function HistoryView({ place, who }: { place: HistoryPlace; who: Who }) {
  const { search = "", dataset, everyone } = place;
  const [typed, setTyped] = useSearch(search, (words) => go(changed(place, { search: words }), { replace: true }));
  const choice = JSON.stringify([search, dataset, everyone]);
  const { cursor, ...pages } = usePages(choice);
  const answer = useAnswer(JSON.stringify([choice, cursor]), (signal) =>
    call("queries", {
      query: {
        kind: "query",
        last_s: MONTH_S,
        limit: PAGE,
        dataset,
        key: everyone ? undefined : who.name,
        search: search || undefined,
        cursor: cursor ?? undefined,
      },
      signal,
    }),
  );
  const told = folded((answer.value?.queries ?? []) as Asked[]);
  const next = answer.value?.next ?? null;
  return (
    <section class="history" aria-label="History">
      <h1>History</h1>
      <div class="row">
        <label for="history-search">search</label>
        <input id="history-search" type="search" placeholder="a field or a value that was asked for" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        <label>
          <input type="checkbox" checked={everyone !== undefined} onChange={() => go(changed(place, { everyone: everyone ? "" : "1" }))} /> everyone's in {who.environment.name}
        </label>
        {dataset && (
          <button onClick={() => go(changed(place, { dataset: "" }))} aria-label={`Of all datasets, not only ${dataset}`}>only {dataset} ×</button>
        )}
        <span class="small quiet">{answer.value?.coverage && <CoverageWords coverage={answer.value.coverage} />}</span>
      </div>
      {answer.error !== null && <Problem error={answer.error} again={answer.again} />}
      {answer.slow && <p class="quiet" role="status">Looking …</p>}
      {answer.value && !told.length && (
        <p class="quiet">
          {search || dataset ? "No question of the last 30 days has this." : `Nothing in the last 30 days${everyone ? "" : ` with the key ${who.name}`}. A question is here some seconds after its answer.`}
        </p>
      )}
      {told.length > 0 && (
        <table class="block dims" style={{ opacity: answer.slow ? 0.5 : 1 }}>
          <thead>
            <tr>
              <th>Asked last</th><th>Question</th><th>Dataset</th>
              {everyone && <th>Key</th>}
              <th class="number">Times</th><th class="number">Took</th><th class="number">Events read</th><th>Answer</th>
            </tr>
          </thead>
          <tbody>
            {told.map((one) => <Line key={one.time} {...{ place, one }} who={everyone !== undefined} />)}
          </tbody>
        </table>
      )}
      {(next || !pages.isFirst) && (
        <p class="row">
          <button disabled={pages.isFirst} onClick={pages.back}>‹ Later</button>
          <button disabled={!next} onClick={() => next && pages.on(next)}>Earlier ›</button>
        </p>
      )}
    </section>
  );
}

function Line({ place, one, who }: { place: HistoryPlace; one: Told; who: boolean }) {
  const at = Date.parse(one.time) / 1000;
  const dataset = one.dataset ?? "";
  const again = { view: "query" as const, dataset, ask: one.text ?? "" };
  const failed = (one.status ?? 200) >= 400;
  return (
    <tr>
      <td class="number" title={utcOf(at)} data-name="asked">{timeOf(at)}</td>
      <td class="mono asked-text"><a {...linkTo(again)}>{one.text}</a></td>
      <td data-name="dataset"><a {...linkTo(changed(place, { dataset }))}>{dataset}</a></td>
      {who && <td data-name="key"><bdi>{one.key_name}</bdi></td>}
      <td class="number" data-name="times">{plain(one.times)}</td>
      <td class="number" data-name="took">{one.duration_ms === undefined ? "–" : duration(one.duration_ms)}</td>
      <td class="number" data-name="events read">{one.rows_read === undefined ? "–" : plain(one.rows_read)}</td>
      <td data-name="answer">
        {failed && <span class="error">✕ {one.error ?? one.status}</span>}
        {!failed && one.result && <a {...linkTo({ ...again, result: one.result })}>its answer</a>}
      </td>
    </tr>
  );
}

/** The place with other choices; empty ones are left out. */
function changed(place: HistoryPlace, by: Partial<Record<"search" | "dataset" | "everyone", string>>): Place {
  const { search, dataset, everyone } = { ...place, ...by };
  return { view: "history", ...(search ? { search } : {}), ...(dataset ? { dataset } : {}), ...(everyone ? { everyone } : {}) };
}

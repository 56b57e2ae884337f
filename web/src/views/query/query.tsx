// One question and its answer: the question on top, the picture under it, the rows under that.

import { useEffect, useRef, useState } from "preact/hooks";
import { asNumber } from "../../api/exact";
import { go, placeOf, type Place } from "../../address";
import { ApiError } from "../../api/client";
import { persist } from "../../api/persist";
import type { Query } from "../../api/types";
import { bytes, duration, plain, short } from "../../look/units";
import { Problem } from "../../parts/problem";
import { CoverageWords } from "./coverage";
import { isEmpty, Nothing } from "./question/aids/nothing";
import { QuestionPanel } from "./question/question";
import { Results } from "./results";
import { FIRST_QUESTION, readQuestion, useQuestion, writeQuestion, type TextFault } from "./use_question";
import { useResult, type Result } from "./use_result";

/** What was answered so soon may be looked at once more, to tell why it is empty. */
const CHEAP_MS = 1000;

type QueryPlace = Extract<Place, { view: "query" }>;

export function QueryView({ place }: { place: QueryPlace }) {
  const ask = place.ask || FIRST_QUESTION;
  const question = useQuestion(ask);
  const shown = useRef("");
  const run = useResult((result) => {
    const now = placeOf(new URL(location.href));
    // Somebody who went on to another question meanwhile would find this answer under it.
    if (now.view !== "query" || keyOf(now) !== shown.current || result.id === now.result) return;
    go({ ...now, ask: now.ask || FIRST_QUESTION, result: result.id }, { replace: true });
  });
  const spec = question.value?.spec ?? null;
  const key = keyOf(place);
  useEffect(() => {
    if (!spec || question.value?.text !== ask || shown.current === key) return;
    const from = question.value.dataset;
    // Events, markers and fields beside the answer are those of the address.
    if (from !== null && from !== place.dataset) return go({ ...place, ask, dataset: from }, { replace: true });
    shown.current = key;
    if (place.result) run.show(place.dataset, place.result, counted(spec), ask);
    else run.start(place.dataset, counted(spec), ask);
  }, [key, spec]);
  const asking = useRef<AbortController | null>(null);
  // Who went on to another question is not taken from it by the one that was still being read.
  useEffect(() => () => asking.current?.abort(), [key]);
  const begin = async (text: string): Promise<TextFault | null> => {
    asking.current?.abort();
    const stop = (asking.current = new AbortController());
    const read = await persist(() => readQuestion(text, stop.signal), stop.signal, () => {}).catch((reason: unknown) => {
      if (stop.signal.aborted) return null;
      throw reason;
    });
    if (!read || stop.signal.aborted) return null; // another question was asked meanwhile
    if (read.fault || !read.spec) return read.fault;
    const dataset = read.dataset ?? place.dataset;
    const events = "rows" in read.spec ? { tab: "events" as const } : {};
    if (text === ask && dataset === place.dataset) {
      const { page: _, event: __, ...newest } = place;
      go(newest, { replace: true });
      run.start(dataset, counted(read.spec), text);
    } else go({ view: "query", dataset, ask: text, ...drawnAs(place), ...events });
    return null;
  };
  const [fault, setFault] = useState<unknown>(null);
  useEffect(() => setFault(null), [key]);
  /** Another question about the same time, whose words stay. */
  const askNext = async (next: Query) => {
    const text = await writeQuestion(next, question.value?.dataset ?? null, question.value?.range ?? null);
    if (text === null) throw new Error("No text stands for this question, so it cannot be asked here.");
    await begin(text);
  };
  const refusal = run.error instanceof ApiError && run.error.faults.length ? run.error : null;
  return (
    <>
      <h1 class="hidden">Ask {place.dataset}</h1>
      <QuestionPanel {...{ ask, refusal }} dataset={place.dataset} busy={run.busy} onRun={begin} onCancel={run.cancel} />
      {question.error !== null && question.error !== undefined && <Problem error={question.error} />}
      {run.error !== null && !refusal && <Problem error={run.error} />}
      {fault !== null && <Problem error={fault} />}
      {run.result && spec && (
        <div class="dims" style={{ opacity: (run.busy && run.slow) || run.error !== null ? 0.5 : 1 }}>
          <AnswerLine result={run.result} tookMs={run.tookMs} />
          {isEmpty(run.result) && (
            <Nothing
              key={run.result.id}
              dataset={question.value?.dataset ?? place.dataset}
              spec={run.result.query as Query}
              cheap={run.tookMs !== null && run.tookMs < CHEAP_MS}
              onSpec={(next) => void askNext(next).catch(setFault)}
            />
          )}
          <Results place={{ ...place, ask }} result={run.result} asked={run.asked} />
        </div>
      )}
    </>
  );
}

/** How graphs are drawn, which the next question keeps. */
function drawnAs({ form, log, graph, sort }: QueryPlace) {
  return { ...(form ? { form } : {}), ...(log ? { log } : {}), ...(graph ? { graph } : {}), ...(sort ? { sort } : {}) };
}

/** What tells one question from another. */
function keyOf({ dataset, ask }: QueryPlace): string {
  return JSON.stringify([dataset, ask || FIRST_QUESTION]);
}

/** What is drawn over the events themselves, where `SELECT *` asks for these: how many there are. */
function counted(spec: Query): Query {
  const { rows: _, ...rest } = spec as Query & { rows?: true };
  return rest;
}

function AnswerLine({ result, tookMs }: { result: Result; tookMs: number | null }) {
  const coverage = result.coverage;
  const matched = matchedBy(result);
  const { rows_read: looked, bytes_read: read } = coverage ?? {};
  return (
    <p class="small quiet block" role="status">
      {matched !== null && `${plain(matched)} ${matched === 1 ? "event matches" : "events match"}${looked !== undefined && matched > looked ? ", by their sample rates" : ""} · `}
      {looked !== undefined && `${short(looked)} looked at · `}
      {read !== undefined && `${bytes(read)} read · `}
      {tookMs !== null && `${duration(tookMs)} · `}
      {coverage && <CoverageWords coverage={coverage} />}
      {result.notes?.map((note) => (
        <span key={note} class="note">
          <br />
          {note}
        </span>
      ))}
    </p>
  );
}

/** How many events an answer is about, as far as it counts them; sampled ones stand for several. */
function matchedBy(result: Result): number | null {
  const all = (result.groups as { all?: { COUNT?: number } } | undefined)?.all?.COUNT;
  if (all !== undefined) return all;
  const data = result.data as { total_by_aggregate?: Record<string, unknown> } | undefined;
  return asNumber(data?.total_by_aggregate?.["COUNT"]);
}

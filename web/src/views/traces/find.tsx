// Finding traces: conditions on their spans, the order, and a line for each trace.

import { useEffect, useRef, useState } from "preact/hooks";
import { go, linkTo, type Place } from "../../address";
import { call } from "../../api/client";
import type { Operations } from "../../api/types";
import { timeOf, utcOf } from "../../look/times";
import { duration, plain } from "../../look/units";
import { ALL_DATASETS, namesOfDatasets, namesOfOthers } from "../../api/datasets";
import { Problem } from "../../parts/problem";
import { useAnswer } from "../../parts/use_answer";
import { useRows } from "../../parts/use_rows";
import { LastingLine } from "../query/question/typing/lasting_line";
import { CoverageWords } from "../query/coverage";

type TracesPlace = Extract<Place, { view: "traces" }>;
type SortedBy = NonNullable<TracesPlace["order"]>;

type Found = Operations["searchTraces"]["answer"]["traces"][number];

const ORDERS: [SortedBy, string][] = [["newest", "newest first"], ["slowest", "slowest first"], ["spans", "most spans first"]];
/** Clauses that a search for traces takes. */
const CLAUSES = /^(WHERE|LAST|SINCE|UNTIL|LIMIT)$/;
const SHOWN = 100;
const COMPARED = 2;

export function TracesView({ place }: { place: TracesPlace }) {
  const ask = place.ask || "LAST 1h";
  const order = place.order ?? "newest";
  const typed = useRef(ask);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  useEffect(() => void (typed.current = ask), [ask]);
  const answer = useAnswer(JSON.stringify([ask, order, place.dataset]), async (signal) => {
    // The requests that this page makes are traces too, and would be the newest of all.
    const names = place.dataset === undefined ? await namesOfOthers() : [place.dataset];
    const datasets = names ? { datasets: names } : {};
    const body = { query: ask, order, ...datasets, ...(/\bLIMIT\b/i.test(ask) ? {} : { limit: SHOWN }) };
    return call("searchTraces", { body, signal });
  });
  const find = () => {
    const text = typed.current.trim();
    if (text === ask) answer.again();
    else go({ ...place, ask: text });
  };
  const placed = (dataset: string | undefined): TracesPlace => {
    const { dataset: _, ...kept } = { ...place, ask };
    return dataset === undefined ? kept : { ...kept, dataset };
  };
  const toggle = (id: string) =>
    setChosen((old) => (old.includes(id) ? old.filter((one) => one !== id) : [...old, id].slice(-COMPARED)));
  const [one, other] = chosen;
  const found = answer.value;
  return (
    <>
      <h1>Traces</h1>
      <form
        class="row trace-find"
        onSubmit={(event) => {
          event.preventDefault();
          find();
        }}
      >
        <LastingLine
          label="conditions and time range"
          hint="WHERE name = checkout LAST 1h"
          before="COUNT "
          clauses={CLAUSES}
          dataset={place.dataset ?? ALL_DATASETS}
          text={ask}
          marked={null}
          onText={(text) => (typed.current = text)}
          onDone={find}
        />
        <Datasets chosen={place.dataset} onDataset={(dataset) => go(placed(dataset))} />
        <label>
          <span class="hidden">order</span>
          <select value={order} onChange={(event) => go({ ...place, ask, order: event.currentTarget.value as SortedBy })}>
            {ORDERS.map(([name, words]) => <option key={name} value={name}>{words}</option>)}
          </select>
        </label>
        <button class="main" type="submit">Find</button>
      </form>
      <p class="small quiet">
        Conditions of a span: <code>WHERE name = checkout AND error EXISTS LAST 1h</code>. Of others of its trace:{" "}
        <code>root.</code> <code>parent.</code> <code>child.</code> <code>any.</code> <code>none.</code>, as in{" "}
        <code>WHERE root.name = checkout AND any.error = true LAST 1d</code>
      </p>
      {answer.error ? <Problem error={answer.error} again={answer.again} /> : null}
      {found && (
        <div class="dims" style={{ opacity: answer.slow ? 0.5 : 1 }}>
          <p class="small quiet row">
            <span>
              {plain(found.traces.length)} of {plain(found.found)} traces ·{" "}
              <CoverageWords coverage={found.coverage} /> · spans of a trace are counted{" "}
              {duration(found.margin_s * 1000)} around the time range
            </span>
            <button
              disabled={!one || !other}
              title="Choose two traces in the list"
              onClick={() => one && other && go({ view: "compare", one, other })}
            >
              Compare the two chosen
            </button>
          </p>
          {found.notes.map((note) => <p class="small quiet" key={note}>{note}</p>)}
          {found.traces.length === 0 ? <Nothing /> : <List traces={found.traces} chosen={chosen} onToggle={toggle} />}
        </div>
      )}
    </>
  );
}

interface DatasetsProps {
  chosen: string | undefined;
  onDataset: (name: string | undefined) => void;
}

/** Whose events count: a trace may go through several datasets. */
function Datasets({ chosen, onDataset }: DatasetsProps) {
  const [names, setNames] = useState<readonly string[]>([]);
  const all = [...new Set([...(chosen === undefined ? [] : [chosen]), ...names])];
  return (
    <label>
      <span class="hidden">dataset</span>
      <select
        value={chosen ?? ""}
        onFocus={() => void namesOfDatasets().then(setNames)}
        onChange={(event) => onDataset(event.currentTarget.value || undefined)}
      >
        <option value="">all but bellwether’s own</option>
        {all.map((one) => <option key={one} value={one}>{one}</option>)}
      </select>
    </label>
  );
}

function Nothing() {
  return (
    <p>
      No trace of this time meets the conditions. A longer time (<code>LAST 1d</code>) or fewer conditions may find some; an
      event belongs to a trace if it has <code>trace.trace_id</code>.
    </p>
  );
}

interface ListProps {
  traces: readonly Found[];
  chosen: readonly string[];
  onToggle: (id: string) => void;
}

function List({ traces, chosen, onToggle }: ListProps) {
  const longest = Math.max(...traces.map((one) => one.duration_ms), 1e-9);
  const rows = useRows(traces.map((one) => one.trace_id));
  return (
    <div class="trace-list">
      <table {...rows.list}>
        <thead>
          <tr>
            <th><span class="hidden">compare</span></th>
            <th class="number">began</th><th>root</th><th>services</th>
            <th class="number">spans</th><th class="number">errors</th><th class="number">duration</th>
            <th><span class="hidden">duration beside the others'</span></th>
          </tr>
        </thead>
        <tbody>
          {traces.map((one) => {
            const at = Date.parse(one.start) / 1000;
            return (
              <tr key={one.trace_id}>
                <td>
                  <input
                    type="checkbox"
                    aria-label={`compare ${one.trace_id}`}
                    tabIndex={rows.tabIndex(one.trace_id)}
                    checked={chosen.includes(one.trace_id)}
                    onChange={() => onToggle(one.trace_id)}
                  />
                </td>
                <td class="number" title={utcOf(at)}>{timeOf(at)}</td>
                <td>
                  <a {...rows.row(one.trace_id)} {...linkTo({ view: "trace", id: one.trace_id })}>{one.root?.name ?? (one.spans ? "(no root in this time)" : "(events without a span)")}</a>{" "}
                  <code class="quiet" title={one.trace_id}>{one.trace_id.slice(0, 8)}</code>
                </td>
                <td class="quiet">{one.services.join(", ")}</td>
                <td class="number">{plain(one.spans)}</td>
                <td class={one.errors ? "number error" : "number quiet"}>{one.errors ? `✕ ${plain(one.errors)}` : "–"}</td>
                <td class="number">{duration(one.duration_ms)}</td>
                <td><div class="trace-length" style={{ width: `${(120 * one.duration_ms) / longest}px` }} /></td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

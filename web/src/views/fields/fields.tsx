// What is known of a dataset's fields: their values, how common they are, and what people say of them.

import { useState } from "preact/hooks";
import { go, linkTo, type Place } from "../../address";
import { call } from "../../api/client";
import { isNumber, writeJson } from "../../api/exact";
import { kindsOf } from "../../api/mixed";
import { bytes, plain, shown, unitOf } from "../../look/units";
import { Problem } from "../../parts/problem";
import { useAnswer } from "../../parts/use_answer";
import { usePages } from "../../parts/use_pages";
import { useSearch } from "../../parts/use_search";
import { CoverageWords } from "../query/coverage";
import { conditionsOf } from "../query/graphs/change";
import { writeQuestion } from "../query/use_question";
import { Description } from "./description";
import "./fields.css";

interface Known {
  name: string;
  types: string[];
  stored?: number | null;
  share?: number | null;
  distinct?: number | null;
  least?: unknown;
  greatest?: unknown;
  values?: { value: unknown; stored: number }[];
  description?: string;
  calculated?: boolean;
  expression?: string;
}

type FieldsPlace = Extract<Place, { view: "fields" }>;

const PAGE = 100;
const VALUES = 5;

export function FieldsView({ place }: { place: FieldsPlace }) {
  const { dataset, search = "" } = place;
  const [typed, setTyped] = useSearch(search, (words) => go({ view: "fields", dataset, ...(words ? { search: words } : {}) }, { replace: true }));
  const { cursor, ...pages } = usePages(search);
  const [fault, setFault] = useState<unknown>(null);
  const answer = useAnswer(JSON.stringify([search, cursor]), (signal) =>
    call("storedFields", {
      path: { dataset },
      query: { limit: PAGE, samples: VALUES, search: search || undefined, cursor: cursor ?? undefined },
      signal,
    }),
  );
  const found = answer.value;
  const fields = (found?.fields ?? []) as Known[];
  const open = ({ name, types }: Known, value: unknown) => {
    const mixed = new Set(kindsOf(types) > 1 ? [name] : []);
    void writeQuestion({ calculations: [{ op: "COUNT" }], filters: conditionsOf({ [name]: value }, mixed) }).then(
      (ask) => ask !== null && go({ view: "query", dataset, ask }),
      setFault,
    );
  };
  const next = found?.next ?? null;
  return (
    <section class="fields" aria-label="Fields">
      <div class="row">
        <h1>Fields of {dataset}</h1>
        <a {...linkTo({ view: "query", dataset, ask: "" })}>Ask about it</a>
      </div>
      <p class="row">
        <label for="field-search">search</label>
        <input id="field-search" type="search" placeholder="in names, descriptions and values" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        {found && (
          <span class="small quiet">
            {plain(found.stored)} events stored · {found.bytes > 0 && `${bytes(found.bytes)} · `}<CoverageWords coverage={found.coverage} />
          </span>
        )}
      </p>
      {fault !== null && <Problem error={fault} />}
      {answer.error !== null && <Problem error={answer.error} again={answer.again} />}
      {answer.slow && <p class="quiet" role="status">Looking…</p>}
      {found?.notes.map((note) => <p key={note} class="small quiet">{note}</p>)}
      {found && !fields.length && (
        <p class="quiet">{search ? "No field has these words in its name, description or values." : "No event has been stored yet."}</p>
      )}
      {fields.length > 0 && (
        <div class="fields-scroll">
          <table>
            <thead>
              <tr>
                <th>field</th>
                <th>types</th>
                <th class="number">in events</th>
                <th class="number">distinct</th>
                <th>values</th>
                <th>description</th>
              </tr>
            </thead>
            <tbody>
              {fields.map((field) => (
                <tr key={field.name}>
                  <th scope="row"><bdi>{field.name}</bdi></th>
                  <td class="quiet">{field.calculated ? "calculated" : field.types.join(", ")}</td>
                  <td class="number" data-name="in events">{typeof field.share === "number" ? shown(field.share, { unit: "ratio", factor: 1 }) : "–"}</td>
                  <td class="number" data-name="distinct">{typeof field.distinct === "number" ? plain(field.distinct) : "–"}</td>
                  <td><Values field={field} onValue={(value) => open(field, value)} /></td>
                  <td>
                    {field.calculated ? field.description : (
                      <Description dataset={dataset} field={field.name} text={field.description ?? ""} onSaved={answer.again} />
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {(next || !pages.isFirst) && (
        <p class="row">
          <button disabled={pages.isFirst} onClick={pages.back}>‹ Fields before</button>
          <button disabled={!next} onClick={() => next && pages.on(next)}>More fields ›</button>
        </p>
      )}
    </section>
  );
}

function Values({ field, onValue }: { field: Known; onValue: (value: unknown) => void }) {
  if (field.expression) return <code>{field.expression}</code>;
  const unit = unitOf(field.name);
  const numbers = isNumber(field.least) && isNumber(field.greatest);
  if (numbers && (field.distinct ?? 0) > VALUES) {
    return <span>{shown(field.least, unit)} to {shown(field.greatest, unit)}</span>;
  }
  return (
    <>
      {(field.values ?? []).map(({ value, stored }) => (
        <button key={writeJson(value)} class="small value" title={`in ${plain(stored)} events; a click asks about them`} onClick={() => onValue(value)}>
          <bdi>{shown(value)}</bdi>
        </button>
      ))}
    </>
  );
}

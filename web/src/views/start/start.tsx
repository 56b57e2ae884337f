// The datasets, what came in lately, and how to send the first event.

import { linkTo } from "../../address";
import { call } from "../../api/client";
import { Problem } from "../../parts/problem";
import { useAnswer } from "../../parts/use_answer";
import { ago } from "../../look/times";
import type { Who } from "../../session";
import { DatasetActivity } from "./activity";
import { FirstEvent } from "./first_event";
import { Sending } from "./sending";
import "./start.css";

export function Start({ who }: { who: Who }) {
  const datasets = useAnswer("datasets", (signal) => call("listDatasets", { signal }));
  if (datasets.error && !datasets.value) return <Problem error={datasets.error} again={datasets.again} />;
  if (!datasets.value) return datasets.slow ? <p class="quiet">Looking for datasets …</p> : null;
  const own = datasets.value.filter((one) => one.slug !== "bellwether");
  if (!own.length) return <FirstEvent who={who} />;
  return (
    <>
      <h1>Datasets</h1>
      <table class="block datasets">
        <thead>
          <tr>
            <th>Dataset</th>
            <th>Last hour</th>
            <th class="number">Events</th>
            <th class="number">Size</th>
            <th class="number">Last event</th>
            <th class="number">Fields</th>
          </tr>
        </thead>
        <tbody>
          {datasets.value.map((one) => (
            <tr key={one.slug}>
              <td>
                <a {...linkTo({ view: "query", dataset: one.slug, ask: "" })}>{one.name}</a>
                {one.description && <div class="small quiet">{one.description}</div>}
              </td>
              <DatasetActivity dataset={one.slug} />
              <td class="number" data-name="last event">
                {one.last_written_at ? ago(Date.parse(one.last_written_at) / 1000) : "never"}
              </td>
              <td class="number" data-name="fields">
                <a {...linkTo({ view: "fields", dataset: one.slug })}>{one.regular_columns_count ?? "–"}</a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <details class="block start-sending">
        <summary>Send more events</summary>
        <Sending who={who} />
      </details>
    </>
  );
}

// What was asked of this dataset lately, by whom and how long it took: a click asks it again.

import { useState } from "preact/hooks";
import { call } from "../../../../api/client";
import { linkTo } from "../../../../address";
import { timeOf, utcOf } from "../../../../look/times";
import { duration, plain } from "../../../../look/units";
import { Problem } from "../../../../parts/problem";
import { takeFocus } from "../../../../parts/take_focus";
import { useAnswer } from "../../../../parts/use_answer";
import { useRows, type Rows } from "../../../../parts/use_rows";
import { folded, type Asked } from "../../../history/asked";

const WEEK_S = 7 * 86_400;
const LIMIT = 200;
const SHOWN = 30;

export function History({ dataset, onClose }: { dataset: string; onClose: () => void }) {
  const [everyone, setEveryone] = useState(false);
  const answer = useAnswer(JSON.stringify([dataset, everyone]), async (signal) => {
    const mine = everyone ? {} : { key: (await call("session", { signal })).name };
    const found = await call("queries", {
      query: { dataset, kind: "query", last_s: WEEK_S, limit: LIMIT, ...mine },
      signal,
    });
    return folded(found.queries as Asked[]).slice(0, SHOWN);
  });
  const rows = useRows((answer.value ?? []).map((one) => one.time));
  return (
    <section class="ask-aid" aria-label="History" tabIndex={-1} ref={takeFocus}>
      <div class="spread">
        <h3>{everyone ? "Asked by everyone" : "Asked with my key"}, this week</h3>
        <span>
          <button onClick={() => setEveryone(!everyone)}>{everyone ? "Only mine" : "Everyone's"}</button>
          <a class="small" {...linkTo({ view: "history", dataset })}>All of it</a>
          <button onClick={onClose}>Close</button>
        </span>
      </div>
      {answer.error !== null && <Problem error={answer.error} again={answer.again} />}
      {answer.value?.length === 0 && <p class="quiet">Nothing yet: a question is here some seconds after its answer.</p>}
      <ul class="ask-history" {...rows.list}>
        {answer.value?.map((one) => <Line key={one.time} dataset={dataset} asked={one} who={everyone} rows={rows} />)}
      </ul>
    </section>
  );
}

function Line({ dataset, asked, who, rows }: { dataset: string; asked: Asked; who: boolean; rows: Rows }) {
  const at = Date.parse(asked.time) / 1000;
  return (
    <li>
      <span class="quiet number" title={utcOf(at)}>
        {timeOf(at)}
      </span>
      <a class="mono ask-again" {...rows.row(asked.time)} {...linkTo({ view: "query", dataset, ask: asked.text ?? "" })}>
        {asked.text}
      </a>
      <span class="quiet small">
        {who && asked.key_name && `${asked.key_name} · `}
        {asked.duration_ms !== undefined && duration(asked.duration_ms)}
        {asked.rows_read !== undefined && ` · ${plain(asked.rows_read)} events read`}
        {asked.result && asked.status === 200 && (
          <>
            {" · "}
            <a tabIndex={rows.tabIndex(asked.time)} {...linkTo({ view: "query", dataset, ask: asked.text ?? "", result: asked.result })}>its answer</a>
          </>
        )}
        {asked.status !== undefined && asked.status >= 400 && <span class="error"> ✕ {asked.error ?? asked.status}</span>}
      </span>
    </li>
  );
}

// The events that come in now: they wait while one has scrolled away or reads one of them.

import { useEffect, useRef, useState } from "preact/hooks";
import { writeJson } from "../../../../api/exact";
import type { Query } from "../../../../api/types";
import { timeOf, utcOf } from "../../../../look/times";
import { duration, plain } from "../../../../look/units";
import { Problem, wordsOf } from "../../../../parts/problem";
import { useMixed } from "../../question/typing/use_mixed";
import { OneEvent } from "../one";
import { EventTable, type Line } from "../table";
import { usualColumns } from "../unfold";
import { KEPT, LATE_S, useTail, type Entry, type Tail } from "./use_tail";

interface Props {
  dataset: string;
  spec: Query;
  /** Those that one picked; null: the usual ones. */
  columns: readonly string[] | null;
  onColumns: (names: readonly string[]) => void;
  onAsk: (spec: Query) => void;
}

export function Followed({ dataset, spec, columns, onColumns, onAsk }: Props) {
  const top = useRef<HTMLParagraphElement>(null);
  const mixed = useMixed(dataset);
  const [away, setAway] = useState(false);
  const [chosen, setChosen] = useState<number | null>(null);
  const { filters, filter_combination, calculated_fields } = spec;
  const body = {
    ...(filters ? { filters } : {}),
    ...(filter_combination ? { filter_combination } : {}),
    ...(calculated_fields ? { calculated_fields } : {}),
  };
  const key = writeJson([dataset, body]);
  const tail = useTail(key, dataset, body, away || chosen !== null);
  useEffect(() => setChosen(null), [key]);
  useEffect(() => {
    if (!top.current) return;
    const watch = new IntersectionObserver(([seen]) => seen && setAway(!seen.isIntersecting && seen.boundingClientRect.top < 0));
    watch.observe(top.current);
    return () => watch.disconnect();
  }, []);
  const toTop = () => {
    setChosen(null);
    top.current?.scrollIntoView({ block: "center" });
  };
  const rows = tail.entries.flatMap((one) => ("row" in one ? [one.row] : []));
  const at = tail.entries.findIndex((one) => one.id === chosen);
  const beside = (step: 1 | -1) => {
    for (let to = at + step; at >= 0 && to >= 0 && to < tail.entries.length; to += step) {
      const one = tail.entries[to];
      if (one && "row" in one) return () => setChosen(one.id);
    }
    return null;
  };
  return (
    <>
      <p class="small quiet" ref={top} role="status">
        <StateWords tail={tail} held={away || chosen !== null} />
      </p>
      {tail.state === "refused" && <Problem error={tail.error} />}
      {tail.held > 0 && (
        <button class="small follow-held" onClick={toTop}>↑ {plain(tail.held)} new {tail.held === 1 ? "event" : "events"}</button>
      )}
      {tail.state === "following" && !tail.entries.length && (
        <p class="quiet">Nothing yet. An event that matches is here about a second after it was sent.</p>
      )}
      {tail.entries.length > 0 && (
        <div class="events-scroll">
          <EventTable
            lines={tail.entries.map(lineOf)}
            columns={columns ?? usualColumns(rows)}
            chosen={chosen}
            onChoose={setChosen}
            onColumns={onColumns}
            whole={(row) => <OneEvent {...{ row, spec, mixed, onAsk }} onNewer={beside(-1)} onOlder={beside(1)} onClose={() => setChosen(null)} />}
          />
        </div>
      )}
    </>
  );
}

function lineOf(entry: Entry): Line {
  if ("row" in entry) return { key: entry.id, row: entry.row };
  if ("skipped" in entry) {
    const many = entry.skipped === null ? "Some" : plain(entry.skipped);
    return { key: entry.id, words: `${many} events came faster than they can be followed: they were not looked at. Conditions leave fewer.` };
  }
  const { from, to, why } = entry.gap;
  return { key: entry.id, words: `Not followed from ${timeOf(from)} for ${duration((to - from) * 1000)}, as ${why}. Run the question to see what came meanwhile.` };
}

function StateWords({ tail, held }: { tail: Tail; held: boolean }) {
  const { state, since, arrived, retryS, error } = tail;
  const begun = since !== null && (
    <>
      Every partition since <span title={utcOf(since)}>{timeOf(since)}</span>, whatever the time range; not events that come over {LATE_S} s late · {plain(arrived)} {arrived === 1 ? "event" : "events"} came
      {arrived > KEPT && `, the newest ${KEPT} are kept here`}
    </>
  );
  switch (state) {
    case "opening":
      return <>Opening …</>;
    case "waiting":
      return <><span class="error">⚠ Not followed now{error ? `: ${wordsOf(error)}` : ""}</span> Trying again in {retryS} s. {begun}</>;
    case "refused":
      return <>Not followed.</>;
    default:
      return <>{begun}{held && " · waiting while you read"}</>;
  }
}

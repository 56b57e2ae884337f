// The events of the question, the newest first: columns one picks, one event whole, a word in them.

import { useEffect, useRef, useState } from "preact/hooks";
import { go } from "../../../address";
import { call } from "../../../api/client";
import { writeJson } from "../../../api/exact";
import type { Query } from "../../../api/types";
import { Problem } from "../../../parts/problem";
import { useAnswer } from "../../../parts/use_answer";
import { pagesOf } from "../../../parts/use_pages";
import { CoverageWords } from "../coverage";
import type { Range } from "../graphs/answer";
import { useAsks } from "../graphs/asked";
import { narrowed, type QueryPlace } from "../graphs/change";
import { useMixed } from "../question/typing/use_mixed";
import { Followed } from "./follow/followed";
import { OneEvent } from "./one";
import { keyOfEvent, placeOfEvent } from "./open_event";
import { EventTable } from "./table";
import { usualColumns } from "./unfold";

interface Props {
  place: QueryPlace;
  spec: Query;
  range: Range | null;
}

const PAGE = 50;

export function Events({ place, spec, range }: Props) {
  const mixed = useMixed(place.dataset);
  const [fault, setFault] = useState<unknown>(null);
  const { filters = [], filter_combination, time_range, start_time, end_time, time_axis } = spec;
  const times = range
    ? { start_time: range.start, end_time: range.end }
    : Object.fromEntries(Object.entries({ time_range, start_time, end_time }).filter(([, one]) => one !== undefined));
  const asked = {
    dataset: place.dataset,
    filters,
    ...(filter_combination ? { filter_combination } : {}),
    ...(time_axis ? { time_axis } : {}),
    ...times,
  };
  const question = writeJson(asked);
  useEffect(() => setFault(null), [question]);
  // Which end of the page that comes is shown whole then: one goes on from event to event.
  const goOn = useRef<"first" | "last" | null>(null);
  const { cursor, ...pages } = pagesOf(place.page, (next) => {
    const { page: _, event: __, ...kept } = place;
    go(next === undefined ? kept : { ...kept, page: next });
  });
  const page = JSON.stringify([question, cursor]);
  const answer = useAnswer(page, async (signal) => {
    const body = { ...asked, limit: PAGE, ...(cursor ? { cursor } : {}) };
    return { page, ...(await call("rows", { body, signal })) };
  });
  const rows = answer.value?.rows ?? [];
  const older = answer.value?.next ?? null;
  const { follow, page: _, event: __, ...stored } = place;
  const following = follow !== undefined;
  const picked = readColumns(place.columns);
  const columns = picked ?? usualColumns(rows);
  const pick = (names: readonly string[]) => go({ ...place, columns: JSON.stringify(names) }, { replace: true });
  const { ask } = useAsks(place, setFault);
  const next = (of: Query) => ask(of, "events");
  // While another page comes, none of the old one is taken for one of it.
  const there = answer.value?.page === page;
  const choose = (at: number | null) => {
    const { event: _, ...kept } = place;
    const event = at === null ? undefined : keyOfEvent(rows, at);
    if (at === null) return go(kept);
    if (event === undefined || !there) return; // the rows that one sees are those of the page before
    // Going on from event to event is one step of the back button.
    go({ ...kept, event }, { replace: place.event !== undefined || goOn.current !== null });
  };
  const leave = (way: () => void, end: "first" | "last" | null) => {
    goOn.current = end;
    way();
  };
  const at = there && place.event !== undefined ? placeOfEvent(rows, place.event) : -1;
  useEffect(() => {
    if (!there || goOn.current === null) return;
    if (place.event === undefined && rows.length) choose(goOn.current === "first" ? 0 : rows.length - 1);
    goOn.current = null;
  }, [there, page]);
  return (
    <section class="events" aria-label="Events">
      <div class="row">
        <WordSearch onWord={(word) => next(narrowed(spec, [{ op: "search", value: word }]))} />
        <AddColumn names={[...new Set(rows.flatMap((one) => Object.keys(one.data)))].sort()} onAdd={(name) => pick([...new Set([...columns, name])])} />
        <label>
          <input type="checkbox" checked={following} onChange={() => go(following ? stored : { ...stored, follow: "1" }, { replace: true })} /> follow new ones
        </label>
        {!following && <span class="small quiet">{answer.value?.coverage && <CoverageWords coverage={answer.value.coverage} />}</span>}
      </div>
      {fault !== null && <Problem error={fault} />}
      {following && <Followed dataset={place.dataset} spec={spec} columns={picked} onColumns={pick} onAsk={next} />}
      {!following && (
        <>
          {answer.error !== null && <Problem error={answer.error} again={answer.again} />}
          {answer.slow && <p class="quiet" role="status">Reading the events…</p>}
          {answer.value?.notes?.map((note) => <p key={note} class="small quiet">{note}</p>)}
          {answer.value && !rows.length && <p class="quiet">No event of the range matches.</p>}
          {there && place.event !== undefined && at < 0 && (
            <p class="quiet" role="status">The event of this address is not on this page: it may have been deleted, or others have come before it.</p>
          )}
          {rows.length > 0 && (
            <div class="events-scroll" style={{ opacity: answer.slow ? 0.5 : 1 }}>
              <EventTable
                lines={rows.map((one, key) => ({ key, row: one }))}
                columns={columns}
                chosen={at < 0 ? null : at}
                onChoose={choose}
                onColumns={pick}
                whole={(one) => {
                  const number = rows.indexOf(one);
                  return (
                    <OneEvent
                      {...{ row: one, spec, mixed }}
                      onAsk={next}
                      onNewer={number > 0 ? () => choose(number - 1) : pages.canBack ? () => leave(pages.back, "last") : null}
                      onOlder={number < rows.length - 1 ? () => choose(number + 1) : older ? () => leave(() => pages.on(older), "first") : null}
                      onClose={() => choose(null)}
                    />
                  );
                }}
              />
            </div>
          )}
          {(!pages.isFirst || older) && (
            <p class="row">
              <button disabled={pages.isFirst} onClick={() => leave(pages.toFirst, null)}>« Newest</button>
              <button disabled={!pages.canBack} onClick={() => leave(pages.back, null)}>‹ Newer events</button>
              <button disabled={!older} onClick={() => older && leave(() => pages.on(older), null)}>Older events ›</button>
            </p>
          )}
        </>
      )}
    </section>
  );
}

/** The columns of an address; null where it names none. */
function readColumns(text: string | undefined): string[] | null {
  if (!text) return null;
  try {
    const read: unknown = JSON.parse(text);
    return Array.isArray(read) ? [...new Set(read.filter((one) => typeof one === "string"))] : null;
  } catch {
    return null;
  }
}

function WordSearch({ onWord }: { onWord: (word: string) => void }) {
  const [word, setWord] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (word.trim()) onWord(word.trim());
      }}
    >
      <label class="hidden" for="event-word">A word in any field</label>
      <input id="event-word" type="search" placeholder="a word in any field" value={word} onInput={(event) => setWord(event.currentTarget.value)} />
    </form>
  );
}

function AddColumn({ names, onAdd }: { names: readonly string[]; onAdd: (name: string) => void }) {
  const [name, setName] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!name.trim()) return;
        onAdd(name.trim());
        setName("");
      }}
    >
      <label class="hidden" for="event-column">Show a field as a column</label>
      <input id="event-column" list="event-columns" placeholder="a field as a column" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      <datalist id="event-columns">
        {names.slice(0, 200).map((one) => <option key={one} value={one} />)}
      </datalist>
      <button>Show</button>
    </form>
  );
}

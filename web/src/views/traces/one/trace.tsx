// One trace: its summary, the mini-map, the waterfall, and beside it the chosen span.

import { useMemo, useState } from "preact/hooks";
import { go, type Place } from "../../../address";
import { looksOf } from "../../../look/palette";
import { Problem } from "../../../parts/problem";
import { useAnswer } from "../../../parts/use_answer";
import { useTheme } from "../../query/graphs/shared";
import { loadTrace, type Trace } from "../trace_answer";
import { found, rowsOf, treeOf, type Row, type Tree } from "../tree";
import type { Span } from "./bar";
import { Legend, Summary } from "./summary";
import { MiniMap } from "./minimap";
import { Panel } from "./panel";
import { Tools } from "./tools";
import { Waterfall, WaterfallHead } from "./waterfall";

type TracePlace = Extract<Place, { view: "trace" }>;

export function TraceView({ place }: { place: TracePlace }) {
  const answer = useAnswer(place.id, (signal) => loadTrace(place.id, signal, { links: true }));
  return (
    <>
      {answer.error ? <Problem error={answer.error} again={answer.again} /> : null}
      {!answer.value && answer.slow && <p class="quiet">Reading the trace …</p>}
      {answer.value && <Shown place={place} trace={answer.value} onAgain={answer.again} />}
    </>
  );
}

function Shown({ place, trace, onAgain }: { place: TracePlace; trace: Trace; onAgain: () => void }) {
  const tree = useMemo(() => treeOf(trace.lines), [trace]);
  const ends = trace.duration_ms ?? 0;
  const theme = useTheme();
  const looks = useMemo(() => looksOf(Object.keys(trace.services ?? {})), [trace, theme]);
  const [window, setWindow] = useState<Span | null>(null);
  const [collapsed, setCollapsed] = useState<ReadonlySet<number>>(new Set());
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const [events, setEvents] = useState(true);
  const [word, setWord] = useState("");
  const rows = useMemo(() => rowsOf(tree, { collapsed, opened, events }), [tree, collapsed, opened, events]);
  const seen = useMemo(() => (window ? rows.filter((row) => overlaps(tree, row, window, ends)) : rows), [rows, window]);
  const hits = useMemo(() => found(tree, word), [tree, word]);
  const hitSet = useMemo(() => new Set(hits), [hits]);
  const chosen = place.span === undefined ? null : (tree.byKey.get(place.span) ?? null);
  const shown = useMemo(() => window ?? { from: 0, to: ends }, [window, ends]);

  const choose = (at: number) => {
    const span = tree.keys[at];
    if (span === undefined) return;
    const hiding = new Set(above(tree.parents, at));
    setCollapsed((old) => ([...old].some((one) => hiding.has(one)) ? new Set([...old].filter((one) => !hiding.has(one))) : old));
    if (window && !overlaps(tree, { at, count: 1 }, window, ends)) setWindow(null);
    const kind = tree.lines[at]?.kind;
    if (kind === "event" || kind === "link") setEvents(true);
    go({ ...place, span }, { replace: place.span !== undefined });
  };
  const close = () => {
    document.querySelector<HTMLElement>(".trace-rows")?.focus({ preventScroll: true });
    go({ view: "trace", id: place.id });
  };
  const toggle = (row: Row, open?: boolean) => {
    if (row.count > 1) {
      if (open !== false) setOpened((old) => new Set(old).add(row.at));
      return;
    }
    if (opened.has(row.at) && open !== true) return setOpened((old) => without(old, row.at));
    if ((open ?? collapsed.has(row.at)) === true) setCollapsed((old) => without(old, row.at));
    else if ((tree.ends[row.at] ?? 0) > row.at + 1) setCollapsed((old) => new Set(old).add(row.at));
  };
  const collapseAll = () => {
    const parents = tree.lines.flatMap((line, at) => (line.depth > 0 && (tree.ends[at] ?? 0) > at + 1 ? [at] : []));
    setCollapsed(new Set(parents));
    setOpened(new Set());
  };
  if (!trace.lines.length) return <Summary trace={trace} onAgain={onAgain} />;
  return (
    <>
      <Summary trace={trace} onAgain={onAgain} />
      <Legend looks={looks} services={trace.services ?? {}} />
      <MiniMap tree={tree} ends={ends} looks={looks} shown={shown} onShow={setWindow} />
      <Tools
        tree={tree}
        word={word}
        hits={hits}
        chosen={chosen}
        events={events}
        inWindow={window ? seen.length : null}
        onWord={setWord}
        onChoose={choose}
        onEvents={setEvents}
        onCollapse={collapseAll}
        onExpand={() => setCollapsed(new Set())}
        onWhole={() => setWindow(null)}
      />
      <div class={chosen === null ? "trace-split alone" : "trace-split"}>
        <div>
          <WaterfallHead shown={shown} coverage={trace.coverage} />
          <Waterfall
            tree={tree}
            rows={seen}
            shown={shown}
            ends={ends}
            looks={looks}
            collapsed={collapsed}
            chosen={chosen}
            hits={hitSet}
            onChoose={choose}
            onToggle={toggle}
            onClose={close}
          />
        </div>
        {chosen !== null && (
          <Panel trace={trace} tree={tree} at={chosen} onChoose={choose} onClose={close} />
        )}
      </div>
    </>
  );
}

/** Whether a row has anything in a part of the trace. */
function overlaps(tree: Tree, row: Row, part: Span, ends: number): boolean {
  const first = tree.lines[row.at];
  const last = tree.lines[row.at + row.count - 1];
  if (!first || !last) return false;
  const until = last.duration_ms === null && last.open ? ends : last.offset_ms + (last.duration_ms ?? 0);
  return first.offset_ms <= part.to && until >= part.from;
}

function without(old: ReadonlySet<number>, at: number): ReadonlySet<number> {
  return new Set([...old].filter((one) => one !== at));
}

function above(parents: Int32Array, at: number): number[] {
  const found: number[] = [];
  for (let one = parents[at] ?? -1; one >= 0; one = parents[one] ?? -1) found.push(one);
  return found;
}

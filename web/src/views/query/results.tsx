// The answer of a question: graphs, and under them the groups as rows.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { go } from "../../address";
import type { Query } from "../../api/types";
import { looksOf } from "../../look/palette";
import { Problem } from "../../parts/problem";
import { timed } from "../../parts/timed";
import { readAnswer, type Group } from "./graphs/answer";
import { AskedContext } from "./graphs/asked";
import type { QueryPlace } from "./graphs/change";
import { colour } from "./graphs/frame";
import { Graphs } from "./graphs/graphs";
import { OTHER } from "./graphs/other";
import { Shared, useTheme } from "./graphs/shared";
import { GroupMenu, type Chosen } from "./rows/group_menu";
import { GroupTable } from "./rows/group_table";
import { sortingOf, textOfSorting, type Sorting } from "./rows/sort";
import { readTable } from "./rows/tabled";
import { TabBody, Tabs } from "./tabs";
import type { Result } from "./use_result";

interface Props {
  place: QueryPlace;
  result: Result;
  /** The text that it answers. */
  asked: string;
}

export function Results({ place, result, asked: text }: Props) {
  // What was asked for this answer, which is an older question than the address while another runs.
  const spec = result.query as Query;
  const asked = useMemo(() => ({ spec, text }), [spec, text]);
  const of = useMemo(() => timed("read answer", () => readAnswer(result, spec)), [result]);
  const table = useMemo(() => timed("read table", () => readTable(result, spec, of)), [result]);
  const theme = useTheme();
  const looks = useMemo(() => {
    const found = looksOf(of?.groups.map((group) => group.key) ?? []);
    return new Map([...found, [OTHER, { colour: colour("missing"), dash: [] }]]);
  }, [of, theme]);
  const [shared] = useState(() => new Shared());
  const [fault, setFault] = useState<unknown>(null);
  const [marked, setMarked] = useState(0);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  useEffect(() => setFault(null), [place.ask, result]);
  const close = useCallback(() => setChosen(null), []);
  const mark = useCallback(() => setMarked((old) => old + 1), []);
  const beside = useCallback((group: Group, element: Element) => {
    const { left, bottom } = element.getBoundingClientRect();
    setChosen({ group, time: null, x: left, y: bottom + 2 });
  }, []);
  const now = useRef(place);
  now.current = place;
  const sort = useCallback((by: Sorting | null) => {
    const { sort: _, ...kept } = now.current;
    const text = textOfSorting(by);
    go(text === undefined ? kept : { ...kept, sort: text });
  }, []);
  // Its rows are many: they are drawn anew for another answer only, not when the address changes.
  const groups = useMemo(
    () => <GroupTable of={table} looks={looks} shared={shared} by={sortingOf(place.sort)} onSort={sort} onGroup={beside} />,
    [table, looks, shared, beside, place.sort],
  );
  return (
    <AskedContext.Provider value={asked}>
      {fault !== null && <Problem error={fault} />}
      {of && (
        <Graphs
          {...{ place, spec, of, shared, looks }}
          version={`${result.id} ${theme}`}
          coverage={result.coverage}
          marked={marked}
          onMark={mark}
          onFault={setFault}
          onPoint={setChosen}
        />
      )}
      <Tabs place={place} spec={spec} range={of?.range ?? null} onFault={setFault} />
      <TabBody place={place} spec={spec} range={of?.range ?? null} />
      {(place.tab ?? "results") === "results" && groups}
      {chosen && (
        <GroupMenu {...{ chosen, place, spec }} range={of?.range ?? null} onClose={close} onFault={setFault} onMark={mark} />
      )}
    </AskedContext.Provider>
  );
}

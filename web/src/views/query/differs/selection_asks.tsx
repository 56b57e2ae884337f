// What can be asked next about the events that are selected.

import type { Filter, Query } from "../../../api/types";
import type { Range } from "../graphs/answer";
import { useAsks } from "../graphs/asked";
import { conditionsOf, narrowed, zoomed, type QueryPlace } from "../graphs/change";
import { useMixed } from "../question/typing/use_mixed";
import { Examples } from "../rows/examples";
import type { Selection } from "./selection";

interface Props {
  place: QueryPlace;
  spec: Query;
  selection: Selection;
  range: Range | null;
  onFault: (reason: unknown) => void;
}

export function SelectionAsks({ place, spec, selection, range, onFault }: Props) {
  const mixed = useMixed(place.dataset);
  const only = within(spec, selection, range, narrowed(spec, filtersOf(selection, mixed)));
  const { ask: next, findTraces } = useAsks(place, onFault);
  const [column] = (selection.ranges ?? []).map((one) => one.column);
  const timed = selection.start_time !== undefined || selection.end_time !== undefined;
  return (
    <p class="selection-asks row small">
      <button onClick={() => next(only, "results")}>Only these</button>
      {timed && <button onClick={() => next(within(spec, selection, range, spec), "results")}>Zoom to their time</button>}
      <button onClick={() => next(only, "events")}>Their events</button>
      <button onClick={() => findTraces(only)}>Their traces</button>
      <Examples place={place} spec={only} range={range} column={column ?? null} onClose={() => undefined} />
    </p>
  );
}

/** The question, held to the time of the selection. */
function within(spec: Query, { start_time, end_time }: Selection, range: Range | null, of: Query): Query {
  if (start_time === undefined && end_time === undefined) return of;
  const start = start_time ?? range?.start ?? spec.start_time;
  const end = end_time ?? range?.end ?? spec.end_time;
  return start === undefined || end === undefined ? of : zoomed(of, start, end);
}

/** Conditions that the selected events meet, but for their time. */
function filtersOf(selection: Selection, mixed: ReadonlySet<string>): Filter[] {
  const { filters = [], filter_combination, ranges = [], groups = [] } = selection;
  const found: Filter[] = filter_combination === "OR" && filters.length > 1 ? [{ filter_combination, filters }] : [...filters];
  for (const { column, from, to } of ranges) {
    if (from !== undefined) found.push({ column, op: ">=", value: from });
    if (to !== undefined) found.push({ column, op: "<", value: to });
  }
  const any = groups.map((group): Filter => ({ filter_combination: "AND", filters: conditionsOf(group, mixed) }));
  const [first] = groups;
  if (first && groups.length === 1) found.push(...conditionsOf(first, mixed));
  else if (any.length) found.push({ filter_combination: "OR", filters: any });
  return found;
}

// What can be asked next about a group or a point: only it, without it, by another field, what
// differs about it, its events.

import { useEffect, useRef, useState } from "preact/hooks";
import { go } from "../../../address";
import { writeJson } from "../../../api/exact";
import type { Filter, Query } from "../../../api/types";
import { timeOf } from "../../../look/times";
import { shown, unitOf } from "../../../look/units";
import type { Group, Range } from "../graphs/answer";
import { Line } from "../question/typing/line";
import { tokensOf } from "../question/tokens";
import { useAsks } from "../graphs/asked";
import { meant, narrowed, withoutGroup, zoomed, type QueryPlace } from "../graphs/change";
import { Examples } from "./examples";
import { NewMarker } from "./new_marker";

export interface Chosen {
  group: Group;
  /** The part of the time that was clicked in a graph, unix seconds; null: all of it. */
  time: { start: number; end: number } | null;
  /** The numbers of a part of a heatmap, half open; null is beyond every number. */
  numbers?: { column: string; from: number | null; to: number | null };
  /** The field whose numbers say what is slow; durations without it. */
  column?: string | null;
  /** The very moment that was clicked. */
  at?: number;
  x: number;
  y: number;
}

/** All events, where no group was chosen. */
export const ALL: Group = { key: "", values: {}, name: "" };

interface Props {
  chosen: Chosen;
  place: QueryPlace;
  spec: Query;
  range: Range | null;
  onClose: () => void;
  onFault: (reason: unknown) => void;
  /** A marker was made. */
  onMark: () => void;
}

export function GroupMenu({ chosen, place, spec, range, onClose, onFault, onMark }: Props) {
  const { group, numbers, column = null } = chosen;
  const asks = useAsks(place, onFault);
  const time = chosen.time && within(chosen.time, range);
  const box = useRef<HTMLDivElement>(null);
  const [corner, setCorner] = useState({ left: chosen.x, top: chosen.y });
  useEffect(() => {
    const menu = box.current;
    if (!menu) return;
    const before = document.activeElement;
    setCorner({
      left: Math.max(8, Math.min(chosen.x, document.documentElement.clientWidth - menu.offsetWidth - 8)),
      top: Math.max(8, Math.min(chosen.y, innerHeight - menu.offsetHeight - 8)),
    });
    menu.querySelector("button")?.focus({ preventScroll: true });
    const leave = (event: Event) => {
      if (!(event.target instanceof Node && menu.contains(event.target))) onClose();
    };
    addEventListener("pointerdown", leave);
    addEventListener("scroll", leave, true);
    return () => {
      removeEventListener("pointerdown", leave);
      removeEventListener("scroll", leave, true);
      // The menu may be gone already, and the focus with it.
      const left = document.activeElement === document.body || menu.contains(document.activeElement);
      if (left && before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, [chosen]);
  const named = Object.keys(group.values).length > 0;
  // OTHER, where its conditions can be said; the total is all events.
  const apart = named || Boolean(group.filters);
  const inStep = (of: Query) => (time ? zoomed(of, time.start, time.end) : of);
  const next = (of: Query, tab?: QueryPlace["tab"]) => {
    onClose();
    asks.ask(of, tab);
  };
  const only = narrowed(spec, [...meant(group), ...between(numbers)]);
  const traces = () => {
    onClose();
    asks.findTraces(inStep(only));
  };
  const differs = () => {
    onClose();
    const step = time ? { start_time: Math.floor(time.start), end_time: Math.ceil(time.end) } : {};
    const groups = named ? { groups: [group.values] } : group.filters ? { filters: group.filters } : {};
    const ranges = numbers ? { ranges: [rangeOf(numbers)] } : {};
    go({ ...place, tab: "differs", selection: writeJson({ ...step, ...groups, ...ranges }) });
  };
  return (
    <div
      ref={box}
      class="group-menu"
      role="group"
      aria-label={group.name || "These events"}
      style={{ left: `${corner.left}px`, top: `${corner.top}px` }}
      onKeyDown={(event) => {
        if (event.defaultPrevented) return; // the list of fields has it
        if (event.key === "Escape") onClose();
        else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
          event.preventDefault();
          move(event.currentTarget, event.key === "ArrowDown" ? 1 : -1);
        }
      }}
    >
      <p>
        <strong>{group.name || "All events"}</strong>
        <span class="quiet small">
          {numbers && <br />}
          {numbers && wordsOf(numbers)}
          {time && <br />}
          {time && `${timeOf(time.start)} to ${timeOf(time.end)}`}
        </span>
      </p>
      <div role="menu" aria-label="What to do with it">
        {(apart || numbers) && <button role="menuitem" onClick={() => next(only, place.tab)}>Only this</button>}
        {named && <button role="menuitem" onClick={() => next(withoutGroup(spec, group), place.tab)}>Without this</button>}
        {time && <button role="menuitem" onClick={() => next(inStep(spec), place.tab)}>Zoom to this time</button>}
        {(apart || time) && <button role="menuitem" onClick={differs}>What differs</button>}
        <button role="menuitem" onClick={() => next(inStep(only), "events")}>Its events</button>
        <Examples menu {...{ place, range, column }} spec={inStep(only)} onClose={onClose} />
        <button role="menuitem" onClick={traces}>All of its traces</button>
      </div>
      {chosen.at !== undefined && <NewMarker dataset={place.dataset} at={chosen.at} onMark={onMark} onClose={onClose} />}
      <GroupBy dataset={place.dataset} onClose={onClose} onField={(field) => next({ ...only, breakdowns: [field] }, place.tab)} />
    </div>
  );
}

/** As much of a time as lies in the range that was asked for. */
function within({ start, end }: { start: number; end: number }, range: Range | null) {
  return range ? { start: Math.max(start, range.start), end: Math.min(end, range.end) } : { start, end };
}

type Numbers = Chosen["numbers"];

function between(numbers: Numbers): Filter[] {
  if (!numbers) return [];
  const { column, from, to } = numbers;
  const filters: Filter[] = [];
  if (from !== null && from === to) return [{ column, op: "=", value: from }];
  if (from !== null) filters.push({ column, op: ">=", value: from });
  if (to !== null) filters.push({ column, op: "<", value: to });
  return filters;
}

/** A range without an end that is null. */
function rangeOf({ column, from, to }: NonNullable<Numbers>) {
  return { column, ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) };
}

function wordsOf({ column, from, to }: NonNullable<Numbers>): string {
  const unit = unitOf(column);
  if (from !== null && from === to) return `${column} = ${shown(from, unit)}`;
  if (from === null) return `${column} below ${shown(to, unit)}`;
  return to === null ? `${column} from ${shown(from, unit)}` : `${column} from ${shown(from, unit)} to ${shown(to, unit)}`;
}

function GroupBy({ dataset, onField, onClose }: { dataset: string; onField: (field: string) => void; onClose: () => void }) {
  return (
    <label class="group-by">
      Group it by
      <Line label="Group it by" hint="a field" dataset={dataset} before="COUNT GROUP BY " onDone={(text) => onField(nameOf(text))} onEscape={onClose} />
    </label>
  );
}

/** The field of a name as it is typed, with or without quotes. */
function nameOf(text: string): string {
  const [token, ...more] = tokensOf(text);
  return token && !more.length ? token.value : text;
}

function move(menu: HTMLElement, by: number): void {
  const items = [...menu.querySelectorAll<HTMLElement>("button:not(:disabled), a, .cm-content")];
  const at = items.findIndex((one) => one === document.activeElement);
  items[(at + by + items.length) % items.length]?.focus();
}

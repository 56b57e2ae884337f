// What can be asked next about a group or a point: only it, without it, by another field, what
// differs about it, its events.

import { useEffect, useRef, useState } from "preact/hooks";
import { go } from "../../../address";
import type { Query } from "../../../api/types";
import { timeOf } from "../../../look/times";
import type { Group, Range } from "../graphs/answer";
import { Line } from "../question/typing/line";
import { tokensOf } from "../question/tokens";
import { ask, conditionsOf, findTraces, narrowed, without, zoomed, type QueryPlace } from "../graphs/change";

export interface Chosen {
  group: Group;
  /** Beginning of the step that was clicked in a graph, unix seconds. */
  time: number | null;
  x: number;
  y: number;
}

interface Props {
  chosen: Chosen;
  place: QueryPlace;
  spec: Query;
  range: Range | null;
  onClose: () => void;
  onFault: (reason: unknown) => void;
}

export function GroupMenu({ chosen, place, spec, range, onClose, onFault }: Props) {
  const { group, time } = chosen;
  const box = useRef<HTMLDivElement>(null);
  const [corner, setCorner] = useState({ left: chosen.x, top: chosen.y });
  useEffect(() => {
    const menu = box.current;
    if (!menu) return;
    const before = document.activeElement;
    setCorner({
      left: Math.max(8, Math.min(chosen.x, innerWidth - menu.offsetWidth - 8)),
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
      if (menu.contains(document.activeElement) && before instanceof HTMLElement) before.focus();
    };
  }, [chosen]);
  const named = Object.keys(group.values).length > 0;
  const inStep = (of: Query) => (time === null || !range ? of : zoomed(of, Math.max(time, range.start), Math.min(time + range.step, range.end)));
  const next = (of: Query, tab?: QueryPlace["tab"]) => {
    onClose();
    void ask(place, of, tab).catch(onFault);
  };
  const only = narrowed(spec, conditionsOf(group.values));
  const traces = (order: "newest" | "slowest") => {
    onClose();
    void findTraces(inStep(only), order).catch(onFault);
  };
  const differs = () => {
    onClose();
    const step = time === null || !range ? {} : { start_time: Math.max(time, range.start), end_time: Math.min(time + range.step, range.end) };
    const groups = named ? { groups: [group.values] } : {};
    go({ ...place, tab: "differs", selection: JSON.stringify({ ...step, ...groups }) });
  };
  return (
    <div
      ref={box}
      class="group-menu"
      role="menu"
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
        {time !== null && <span class="quiet"> {timeOf(time)}</span>}
      </p>
      {named && (
        <>
          <button role="menuitem" onClick={() => next(only, place.tab)}>Only this</button>
          <button role="menuitem" onClick={() => next(without(spec, group.values), place.tab)}>Without this</button>
        </>
      )}
      {time !== null && <button role="menuitem" onClick={() => next(inStep(spec), place.tab)}>Zoom to this step</button>}
      {(named || time !== null) && <button role="menuitem" onClick={differs}>What differs</button>}
      <button role="menuitem" onClick={() => next(inStep(only), "events")}>Its events</button>
      <button role="menuitem" onClick={() => traces("newest")}>Its traces</button>
      <button role="menuitem" onClick={() => traces("slowest")}>Its slowest traces</button>
      <GroupBy dataset={place.dataset} onClose={onClose} onField={(field) => next({ ...only, breakdowns: [field] }, place.tab)} />
    </div>
  );
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
  const items = [...menu.querySelectorAll<HTMLElement>("button, .cm-content")];
  const at = items.findIndex((one) => one === document.activeElement);
  items[(at + by + items.length) % items.length]?.focus();
}

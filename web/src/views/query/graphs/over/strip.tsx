// Under the time axis: what the answer covers, and the markers by name.

import { useRef, useState } from "preact/hooks";
import { timeOf, utcOf, zoneOf } from "../../../../look/times";
import type { Range } from "../answer";
import type { Cover } from "./cover";
import { LEFT, RIGHT } from "../frame";
import type { Marker } from "./markers";
import { OneMarker } from "./one_marker";

interface Props {
  range: Range;
  cover: Cover;
  markers: readonly Marker[];
  /** A marker was changed or deleted. */
  onMark: () => void;
}

/** Parts of the width that a marker's name needs at least. */
const NAME_PART = 0.05;
const LAST_PART = 0.2;

export function Strip({ range, cover, markers, onMark }: Props) {
  const [opened, setOpened] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const shown = markers.find((one) => one.id === opened);
  const close = () => {
    list.current?.querySelector<HTMLElement>("[aria-expanded=true]")?.focus();
    setOpened(null);
  };
  const part = (at: number) => Math.min(1, Math.max(0, (at - range.start) / (range.end - range.start)));
  const percent = (value: number) => `${(value * 100).toFixed(3)}%`;
  const settled = part(cover.settled);
  const live = cover.settled < range.end;
  const whole = live ? `complete to ${timeOf(cover.settled)}; later events may still come` : "complete";
  const words = [cover.missing ?? whole, ...cover.parts.map((one) => one.why)].join("; ");
  return (
    <div class="strip" style={{ marginLeft: `${LEFT}px`, marginRight: `${RIGHT}px` }}>
      <div class="cover" role="img" aria-label={`Coverage: ${words}`} title={`${words}\n${utcOf(cover.settled)}`}>
        <span class={cover.missing ? "cover-missing" : "cover-full"} style={{ width: percent(settled) }} />
        <span class="cover-live" style={{ width: percent(1 - settled) }} />
      </div>
      <p class="small quiet cover-words">
        <span title={`${utcOf(range.start)} to ${utcOf(range.end)}`}>times in {zoneOf(range.start)}</span>
        <span>
          {cover.missing && <span class="error">hatched: {cover.missing}</span>}
          {cover.parts.length > 0 && `paler: ${cover.parts.map((one) => one.why).join("; ")}`}
        </span>
      </p>
      {markers.length > 0 && (
        <ul class="marks small" aria-label="Markers" ref={list}>
          {markers.map((one, at) => {
            const from = part(one.start);
            const room = (markers[at + 1] ? part(markers[at + 1]?.start ?? 1) : 1) - from;
            const when = `${timeOf(one.start)}${one.end === null ? "" : ` to ${timeOf(one.end)}`}`;
            // The last one, near the end of the range, has its name before it.
            const back = from - (markers[at - 1] ? part(markers[at - 1]?.start ?? 0) : 0);
            const before = at === markers.length - 1 && room < LAST_PART && back > room;
            const tight = !before && room < NAME_PART;
            const place = before ? { right: percent(1 - from), maxWidth: percent(back) } : { left: percent(from), maxWidth: percent(room) };
            const name = <span class={tight ? "hidden" : undefined}>{one.text}</span>;
            return (
              <li key={one.id} class={before ? "before" : undefined} style={place} title={`${one.text}\n${when}\n${utcOf(one.start)}`}>
                <button aria-expanded={one.id === opened} onClick={() => setOpened(one.id === opened ? null : one.id)}>
                  <span style={{ color: one.colour }} aria-hidden="true">▲</span>
                  {name}
                </button>
              </li>
            );
          })}
        </ul>
      )}
      {shown && <OneMarker key={shown.id} marker={shown} onChange={onMark} onClose={close} />}
    </div>
  );
}

// The values under the crosshair, beside the graph's name: no floating box hides the picture.

import type { SeriesLook } from "../../../look/palette";
import { timeOf, utcClockOf, utcOf } from "../../../look/times";
import { duration, shown, unitOf } from "../../../look/units";
import type { Graphed } from "./answer";
import { useShared, type Shared } from "./shared";

interface Props {
  of: Graphed;
  label: string;
  looks: ReadonlyMap<string, SeriesLook>;
  shared: Shared;
  /** Whether OTHER is drawn, too. */
  others: boolean;
  /** What has to be said of how the values are drawn. */
  note: string | null;
}

/** Groups named beside a graph; the others are in the rows. */
const NAMED_MAX = 6;

export function Legend({ of, label, looks, shared, others, note }: Props) {
  const step = useShared(shared, (now) => now.step);
  const group = useShared(shared, (now) => now.group);
  const unit = unitOf(label);
  const at = step === null ? undefined : of.times[step];
  const lines = of.lines.get(label);
  const before = of.before.get(label);
  // Under the crosshair those with the largest numbers there, where not all have room.
  const highest = (key: string) => (step === null ? 0 : (lines?.get(key)?.[step] ?? -Infinity));
  const ranked = step === null || of.groups.length <= NAMED_MAX ? of.groups : [...of.groups].sort((a, b) => highest(b.key) - highest(a.key));
  let named = ranked.slice(0, NAMED_MAX);
  const hovered = of.groups.find((one) => one.key === group);
  if (hovered && !named.includes(hovered)) named = [...named.slice(0, -1), hovered];
  const more = of.groups.length - named.length;
  if (of.other && others) named = [...named, of.other];
  return (
    <span class="legend small">
      {at !== undefined && (
        <span class="mono" title={utcOf(at)}>
          {timeOf(at, { seconds: of.range.step < 60 })}
          {utcClockOf(at) && <span class="quiet"> {utcClockOf(at)}</span>}
        </span>
      )}
      {named.map((one) => (
        <span key={one.key} class={group !== null && one.key !== group ? "legend-group back" : "legend-group"}>
          {one.name && (
            <svg width="14" height="8" aria-hidden="true">
              <path
                d="M0 4H14"
                stroke={looks.get(one.key)?.colour}
                stroke-width="3"
                stroke-dasharray={looks.get(one.key)?.dash.join(" ")}
              />
            </svg>
          )}
          <span class="name">{one.name}</span>
          {step !== null && (
            <span class="number">
              {shown(lines?.get(one.key)?.[step], unit)}
              {before && <span class="quiet"> was {shown(before.get(one.key)?.[step], unit)}</span>}
            </span>
          )}
        </span>
      ))}
      {of.before.size > 0 && (
        <span class="legend-group quiet">
          <svg width="14" height="8" aria-hidden="true">
            <path d="M0 4H14" stroke="currentColor" stroke-width="1.5" stroke-dasharray="4 3" />
          </svg>
          {duration(of.offset * 1000)} earlier
        </span>
      )}
      {(more > 0 || (of.other && !others)) && (
        <span class="quiet">
          {[more > 0 ? `${more} more` : "", of.other && !others ? of.other.name : ""].filter(Boolean).join(" and ")} in the rows
        </span>
      )}
      {note && <span class="quiet">{note}</span>}
    </span>
  );
}

// Markers of a dataset and of its environment: what happened, and when.

import { call } from "../../../../api/client";
import { ALL_DATASETS } from "../../../../api/datasets";
import type { Operations } from "../../../../api/types";
import { useAnswer } from "../../../../parts/use_answer";
import { colour } from "../frame";
import type { Range } from "../answer";

export interface Marker {
  id: string;
  start: number;
  /** null for a moment. */
  end: number | null;
  text: string;
  url: string | null;
  colour: string;
  /** Whose it is, for changing it. */
  dataset: string;
  /** Whether all datasets show it. */
  everywhere: boolean;
  /** What a change of it keeps. */
  stored: Pick<Stored, "start_time" | "end_time" | "message" | "type" | "url">;
}

type Stored = Operations["listMarkers"]["answer"][number];

/** More of them would hide the picture. */
const MARKERS_MAX = 200;

/** The markers of a dataset, the first ones first; none while they are not known. turn: how many were
 * made, changed or deleted since: then they are read again. */
export function useMarkers(dataset: string, turn: number) {
  return useAnswer(`${turn} ${dataset}`, async (signal) => {
    const of = (name: string) => call("listMarkers", { path: { dataset: name }, signal });
    const [own, all, settings] = await Promise.all([
      of(dataset),
      dataset === ALL_DATASETS ? [] : of(ALL_DATASETS),
      call("listMarkerSettings", { path: { dataset: ALL_DATASETS }, signal }),
    ]);
    const colours = new Map(settings.map((one) => [one.type, one.color]));
    const read = (some: readonly Stored[], name: string) => some.map((one) => [one.id, markerOf(one, name, colours)] as const);
    const byId = new Map([...read(own, dataset), ...read(all, ALL_DATASETS)]);
    return [...byId.values()].sort((a, b) => a.start - b.start);
  });
}

/** Those that lie in a range, at least partly. */
export function markersIn(markers: readonly Marker[], { start, end }: Range): Marker[] {
  return markers.filter((one) => one.start < end && (one.end ?? one.start) >= start).slice(0, MARKERS_MAX);
}

/** Its type and what it says; once where the message begins with the type. */
function textOf({ type = "", message = "" }: Stored): string {
  const again = message.toLowerCase().startsWith(type.toLowerCase());
  return (again ? message : `${type} ${message}`).trim() || "marker";
}

function markerOf(one: Stored, dataset: string, colours: ReadonlyMap<string, string>): Marker {
  const { start_time, end_time, message, type, url } = one;
  const stored = Object.fromEntries(
    Object.entries({ start_time, end_time, message, type, url }).filter(([, value]) => value !== undefined && value !== null),
  );
  return {
    id: one.id,
    dataset,
    everywhere: dataset === ALL_DATASETS,
    stored,
    start: one.start_time ?? Date.parse(one.created_at) / 1000,
    end: one.end_time ?? null,
    text: textOf(one),
    url: one.url && /^https?:/i.test(one.url) ? one.url : null,
    colour: (one.type && colours.get(one.type)) || colour("accent"),
  };
}

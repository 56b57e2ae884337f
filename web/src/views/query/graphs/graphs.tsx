// The pictures of an answer: one graph for each calculation, over one time axis with one crosshair.

import { useRef } from "preact/hooks";
import { writeJson } from "../../../api/exact";
import { go, linkTo } from "../../../address";
import type { Query } from "../../../api/types";
import { wordsOf } from "../../../parts/problem";
import type { SeriesLook } from "../../../look/palette";
import type { Coverage } from "../../../api/types";
import { readSelection, type Selection } from "../differs/selection";
import { keyOf, type Calculation, type Graphed, type Range } from "./answer";
import { useAsks } from "./asked";
import { zoomed, type QueryPlace } from "./change";
import { HeatGraph, type Box } from "./heat/heat_graph";
import { HeatLegend } from "./heat/heat_legend";
import { Legend } from "./legend";
import { LineGraph } from "./lines/line_graph";
import type { Chosen } from "../rows/group_menu";
import { coverOf } from "./over/cover";
import { addable, FormChoice, formOf, isLog } from "./form";
import { markersIn, useMarkers } from "./over/markers";
import { OTHER } from "./other";
import { Strip } from "./over/strip";
import type { Shared } from "./shared";

interface Props {
  place: QueryPlace;
  spec: Query;
  of: Graphed;
  shared: Shared;
  looks: ReadonlyMap<string, SeriesLook>;
  /** What tells this answer, in these colours, from others. */
  version: string;
  coverage: Coverage | undefined;
  /** How many markers were made, changed or deleted on this screen. */
  marked: number;
  onMark: () => void;
  onFault: (reason: unknown) => void;
  /** A point was clicked. */
  onPoint: (chosen: Chosen) => void;
}

const ALONE = 260;
const AMONG = 170;
const LARGE = 480;

export function Graphs({ place, spec, of, shared, looks, version, coverage, marked, onMark, onFault, onPoint }: Props) {
  const found = useMarkers(place.dataset, marked);
  const markers = markersIn(found.value ?? [], of.range);
  const selection = place.tab === "differs" ? readSelection(place.selection) : null;
  const cover = coverOf(coverage, of.range);
  const form = formOf(place);
  const log = isLog(place);
  const large = of.calculations.find((one) => one.label === place.graph);
  const shown = large ? [large] : of.calculations;
  const height = large ? LARGE : shown.length > 1 ? AMONG : ALONE;
  const drawn = `${version} ${form} ${log} ${selection ? place.selection : ""} ${markers.map((one) => one.id).join(" ")}`;
  const selected = timesOf(selection);
  const strong = new Set((selection?.groups ?? []).map((group) => keyOf(group, spec.breakdowns ?? [])));
  const firstLine = shown.find((one) => !one.heat);
  // What a gesture means is looked up when it is made: the graph stands while the address changes.
  const { ask } = useAsks(place, onFault);
  const now = useRef({ place, spec, ask });
  now.current = { place, spec, ask };
  const zoom = (start: number, end: number) => {
    const { place, spec, ask } = now.current;
    ask(zoomed(spec, start, end), place.tab);
  };
  const select = (column: string, { start, end, from, to }: Box) => {
    const selection = {
      start_time: Math.floor(start),
      end_time: Math.max(Math.floor(start) + 1, Math.ceil(end)),
      ranges: [{ column, from, to }],
    };
    go({ ...now.current.place, tab: "differs", selection: writeJson(selection) });
  };
  return (
    <section class="graphs" aria-label="Graphs" onMouseLeave={() => shared.set({ group: null, step: null, cell: null })}>
      {shown.map((calculation, at) => {
        const { label, column, heat } = calculation;
        const last = at === shown.length - 1;
        const common = { of, calculation, shared, last, version: drawn, overlay: { cover, markers, selected }, height: last ? height + 28 : height, onZoom: zoom };
        return (
          <figure key={label} class="graph">
            <figcaption class="spread">
              <span class="row">
                <h3>{label}</h3>
                {calculation === firstLine && <FormChoice place={place} />}
                {(of.calculations.length > 1 || large) && <Enlarge place={place} label={label} large={large !== undefined} />}
              </span>
              {heat && <HeatLegend {...{ of, label, shared }} />}
              {!heat && <Legend {...{ of, label, looks, shared }} others={form !== "line" && of.lines.get(label)?.has(OTHER) === true} note={form === "line" ? null : noteOn(of, calculation)} />}
            </figcaption>
            {heat ? (
              <HeatGraph
                {...common}
                box={boxOf(selection, column, of.range)}
                onBox={(box) => column && select(column, box)}
                onPoint={onPoint}
              />
            ) : (
              <LineGraph {...common} looks={looks} form={form} log={log} strong={strong} onPoint={onPoint} />
            )}
          </figure>
        );
      })}
      <Strip range={of.range} cover={cover} markers={markers} onMark={onMark} />
      {found.error !== null && <p class="small quiet">Markers are not known: {wordsOf(found.error)}</p>}
    </section>
  );
}

/** Why values that are asked for as a stack are drawn as lines. */
function noteOn(of: Graphed, calculation: Calculation): string | null {
  const lines = of.groups.map((group) => of.lines.get(calculation.label)?.get(group.key) ?? []);
  if (addable(calculation, lines)) return null;
  return "lines: these do not add up";
}

/** One graph alone and large, and back: an address like others, so the back button goes back, too. */
function Enlarge({ place, label, large }: { place: QueryPlace; label: string; large: boolean }) {
  const { graph: _, ...all } = place;
  return (
    <a class="small enlarge" {...linkTo(large ? all : { ...place, graph: label })} title={large ? "All graphs again" : "This graph alone, large"}>
      {large ? "⤡ all graphs" : "⤢"}
      {!large && <span class="hidden"> {label} alone, large</span>}
    </a>
  );
}

/** The time of a selection, if it has one. */
function timesOf(selection: Selection | null): { start: number; end: number } | null {
  if (!selection || (selection.start_time === undefined && selection.end_time === undefined)) return null;
  return { start: selection.start_time ?? -Infinity, end: selection.end_time ?? Infinity };
}

/** The box of a selection, if it is one of this field. */
function boxOf(selection: Selection | null, column: string | null, { start, end }: Range): Box | null {
  const range = selection?.ranges?.find((one) => one.column === column);
  if (!selection || !range) return null;
  return {
    start: selection.start_time ?? start,
    end: selection.end_time ?? end,
    from: range.from ?? -Infinity,
    to: range.to ?? Infinity,
  };
}

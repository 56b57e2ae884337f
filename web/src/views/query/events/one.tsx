// One event whole, with what can be asked about each of its values.

import { useLayoutEffect, useRef } from "preact/hooks";
import { linkTo } from "../../../address";
import { writeJson } from "../../../api/exact";
import type { Query, Row } from "../../../api/types";
import { timeOf, utcOf } from "../../../look/times";
import { plain } from "../../../look/units";
import { conditionsOf, narrowed, without } from "../graphs/change";
import { LINES_MAX, unfolded, type Line } from "./unfold";

interface Props {
  row: Row;
  spec: Query;
  /** Fields with values of several types. */
  mixed: ReadonlySet<string>;
  onAsk: (spec: Query) => void;
  /** Show another one; null where there is none. */
  onNewer: (() => void) | null;
  onOlder: (() => void) | null;
  onClose: () => void;
}

/** The button that led from the event before to this one: it stands elsewhere now, and keeps the focus. */
let pressed: "newer" | "older" | null = null;

export function OneEvent({ row, spec, mixed, onAsk, onNewer, onOlder, onClose }: Props) {
  const box = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    // One goes from event to event: the buttons stay in sight.
    box.current?.scrollIntoView({ block: "nearest" });
    if (pressed === null) return;
    const again = box.current?.querySelector<HTMLButtonElement>(`button[name=${pressed}]:not(:disabled)`);
    (again ?? box.current?.querySelector<HTMLButtonElement>("button:not(:disabled)"))?.focus({ preventScroll: true });
    pressed = null;
  }, [row]);
  const step = (name: "newer" | "older", go: () => void) => {
    pressed = name;
    go();
  };
  const close = () => {
    // The row that opened it is where one goes on.
    box.current?.closest("tr")?.previousElementSibling?.querySelector<HTMLElement>("button[aria-expanded]")?.focus();
    onClose();
  };
  const lines = unfolded(row.data);
  const at = Date.parse(row.time) / 1000;
  const trace = row.data["trace.trace_id"];
  return (
    <section
      ref={box}
      class="panel one-event"
      aria-label="One event"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.preventDefault();
        close();
      }}
    >
      <p class="row">
        <strong title={utcOf(at)}>{timeOf(at)}</strong>
        <span class="quiet mono">{row.time}</span>
        {row.samplerate > 1 && <span class="quiet">stands for {row.samplerate} events</span>}
        {typeof trace === "string" && <a {...linkTo({ view: "trace", id: trace })}>Its trace</a>}
        <button name="newer" disabled={!onNewer} onClick={() => onNewer && step("newer", onNewer)}>‹ Newer</button>
        <button name="older" disabled={!onOlder} onClick={() => onOlder && step("older", onOlder)}>Older ›</button>
        <button title="Esc" onClick={close}>Close</button>
      </p>
      <table>
        <tbody>
          {lines.map((line) => (
            <tr key={line.name}>
              <th scope="row">{line.name}</th>
              <td class="mono"><bdi>{textOf(line.value)}</bdi></td>
              <td class="asks"><Asks {...{ line, spec, mixed, onAsk }} /></td>
            </tr>
          ))}
        </tbody>
      </table>
      {lines.length >= LINES_MAX && <p class="quiet">Only its first {plain(LINES_MAX)} values.</p>}
    </section>
  );
}

/** A part of a field has no name in a question, so it offers nothing. */
function Asks({ line, spec, mixed, onAsk }: Pick<Props, "spec" | "mixed" | "onAsk"> & { line: Line }) {
  if (line.name !== line.field || line.value === null || typeof line.value === "object") return null;
  const row = { [line.field]: line.value };
  const groups = [...new Set([...(spec.breakdowns ?? []), line.field])];
  return (
    <>
      <button class="small" onClick={() => onAsk(narrowed(spec, conditionsOf(row, mixed)))}>only</button>
      <button class="small" onClick={() => onAsk(without(spec, row, mixed))}>without</button>
      <button class="small" onClick={() => onAsk({ ...spec, breakdowns: groups })}>group by</button>
    </>
  );
}

/** A value as it is stored: no unit, no rounding. */
export function textOf(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : writeJson(value);
}

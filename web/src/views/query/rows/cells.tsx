// One value of a row: its number, how it was before, and its line over time.

import { asNumber } from "../../../api/exact";
import type { SeriesLook } from "../../../look/palette";
import { shown, significant, unitOf } from "../../../look/units";
import type { Bin, Group, Line, Row } from "../graphs/answer";
import { OTHER, TOTAL } from "../graphs/other";
import type { HeatScale } from "../graphs/heat_scale";
import { Spark, Spread } from "./spark";

export interface Column {
  label: string;
  lines: ReadonlyMap<string, Line> | undefined;
  /** The largest number of its lines: all are drawn to one height. */
  most: number;
  /** Of its bins, where its values are bins. */
  scale: HeatScale | null;
}

export interface Looked {
  group: Group;
  look: SeriesLook | undefined;
}

interface Props {
  row: Row;
  column: Column;
  one?: Looked;
  before?: Row | undefined;
}

export function Value({ row, column, one, before }: Props) {
  const { label, scale } = column;
  const value = row[label];
  const colour = one?.look?.colour ?? "var(--quiet)";
  if (Array.isArray(value)) {
    return <td class="number" data-label={label}>{scale && <Spread bins={value as Bin[]} scale={scale} colour={colour} />}</td>;
  }
  const line = one && column.lines?.get(one.group.key);
  const unit = unitOf(label);
  return (
    <td class="number" data-label={label}>
      <span class="value">
        {line && <Spark line={line} most={of(line, column.most, one.group.key)} colour={colour} />}
        <span>
          {shown(value, unit)}
          {before && (
            <span class="small quiet was">
              was {shown(before[label], unit)}
              {changeOf(value, before[label])}
            </span>
          )}
        </span>
      </span>
    </td>
  );
}

/** To which height a line is drawn: sums to their own, for beside them groups would be flat. */
function of(line: Line, most: number, key: string): number {
  return key === OTHER || key === TOTAL ? Math.max(...line.map((value) => value ?? 0)) : most;
}

/** +12 %, as far as there was something. */
function changeOf(value: unknown, earlier: unknown): string {
  const [now, before] = [asNumber(value), asNumber(earlier)];
  if (now === null || before === null || before === 0) return "";
  const percent = ((now - before) / Math.abs(before)) * 100;
  return `, ${percent < 0 ? "−" : "+"}${significant(Math.abs(percent))} %`;
}

// One value of a row: its number, its share of the total, how it was before, its line over time.

import { asNumber } from "../../../api/exact";
import type { SeriesLook } from "../../../look/palette";
import { shown, unitOf } from "../../../look/units";
import type { Bin, Group, Line, Row } from "../graphs/answer";
import { OTHER, TOTAL } from "../graphs/other";
import type { HeatScale } from "../graphs/heat/heat_scale";
import { percentOf } from "./change";
import { Spark, Spread } from "./spark";

/** From the least to the largest number, with 0. */
export interface Span {
  least: number;
  most: number;
}

export interface Column {
  label: string;
  lines: ReadonlyMap<string, Line> | undefined;
  /** Between which numbers all of its lines are drawn. */
  span: Span;
  /** Of its bins, where its values are bins. */
  scale: HeatScale | null;
  /** Whether the values of groups add up to the total, so that each is a share of it. */
  adds: boolean;
}

interface Props {
  row: Row;
  column: Column;
  group: Group;
  look: SeriesLook | undefined;
  before: Row | undefined;
  total: Row | undefined;
}

const SHARE_PX = 72;

export function Value({ row, column, group, look, before, total }: Props) {
  const { label, scale } = column;
  const value = row[label];
  const colour = look?.colour ?? "var(--quiet)";
  if (Array.isArray(value)) {
    return <td class="number" data-label={label}>{scale && <Spread bins={value as Bin[]} scale={scale} colour={colour} />}</td>;
  }
  const line = column.lines?.get(group.key);
  const unit = unitOf(label);
  const share = column.adds && group.key !== TOTAL ? shareOf(value, total?.[label]) : null;
  return (
    <td class="number" data-label={label}>
      <span class="value">
        {line && <Spark line={line} {...(isSum(group.key) ? spanOf([line]) : column.span)} colour={colour} />}
        {column.adds && (
          <span class="share" title={share === null ? undefined : `${percentOf(share)} of the total`}>
            {share !== null && <span style={{ width: `${Math.max(1, share * SHARE_PX)}px`, background: colour }} />}
          </span>
        )}
        <span class="said">
          {shown(value, unit)}
          {before && <Change now={value} before={before[label]} label={label} />}
        </span>
      </span>
    </td>
  );
}

function Change({ now, before, label }: { now: unknown; before: unknown; label: string }) {
  const unit = unitOf(label);
  const [one, other] = [asNumber(now), asNumber(before)];
  if (one === null || other === null) return <span class="small quiet was">was {shown(before, unit)}</span>;
  const by = one - other;
  const sign = by < 0 ? "−" : "+";
  const part = other === 0 ? "" : ` (${sign}${percentOf(Math.abs(by / other))})`;
  return (
    <span class="small quiet was">
      was {shown(before, unit)}, {by === 0 ? "the same" : `${sign}${shown(Math.abs(by), unit)}${part}`}
    </span>
  );
}

function shareOf(value: unknown, total: unknown): number | null {
  const [part, all] = [asNumber(value), asNumber(total)];
  return part === null || all === null || all <= 0 || part < 0 ? null : Math.min(1, part / all);
}

/** Sums are drawn to their own height, for beside them groups would be flat. */
export function isSum(key: string): boolean {
  return key === OTHER || key === TOTAL;
}

export function spanOf(lines: Iterable<Line>): Span {
  let [least, most] = [0, 0];
  for (const line of lines) {
    for (const value of line) {
      if (value === null) continue;
      if (value < least) least = value;
      else if (value > most) most = value;
    }
  }
  return { least, most };
}

// The groups of an answer as rows, with their lines over time, totals and OTHER.

import { useState } from "preact/hooks";
import type { SeriesLook } from "../../../look/palette";
import { plain } from "../../../look/units";
import { groupOf, type Group, type Row } from "../graphs/answer";
import { heatScale } from "../graphs/heat_scale";
import { OTHER, TOTAL, TOTAL_GROUP } from "../graphs/other";
import { useShared, type Shared } from "../graphs/shared";
import { Value, type Column, type Looked } from "./cells";
import { CopyButtons } from "./copy_buttons";
import { nextSorting, sorted, type Sorting } from "./sort";
import type { Tabled } from "./tabled";

interface Props {
  of: Tabled;
  looks: ReadonlyMap<string, SeriesLook>;
  shared: Shared;
  /** A group is chosen: what to do with it is asked beside the element. */
  onGroup: (group: Group, beside: Element) => void;
}

/** Rows that are drawn at first, and with each further step. */
const ROWS_STEP = 100;

export function GroupTable({ of, looks, shared, onGroup }: Props) {
  const [by, setBy] = useState<Sorting | null>(null);
  const [most, setMost] = useState(ROWS_STEP);
  if (!of.rows.length) return <p class="quiet block">No event of the range matches.</p>;
  const rows = sorted(of.rows, by);
  const columns: Column[] = of.labels.map((label) => columnOf(of, label));
  const grouped = of.groups.length > 0;
  const looked = (row: Row): Looked => {
    const group = groupOf(row, of.groups);
    return { group, look: looks.get(group.key) };
  };
  return (
    <section class="block rows" aria-label="Groups">
      <div class="spread">
        <span class="small quiet">
          {grouped && `${plain(of.rows.length)} groups`}
          {of.otherGroups > 0 && ` of ${plain(of.rows.length + of.otherGroups)}; sorting sorts those that are shown`}
        </span>
        <CopyButtons table={() => ({ groups: of.groups, labels: columns.filter((one) => !one.scale).map((one) => one.label), rows })} />
      </div>
      <div class="rows-scroll">
        <table class="groups">
          <thead>
            <tr>
              {[...of.groups.map((name) => ({ name, number: false })), ...of.labels.map((name) => ({ name, number: true }))].map(
                ({ name, number }) => (
                  <th
                    key={name}
                    class={number ? "number" : undefined}
                    aria-sort={by?.name === name ? (by.down ? "descending" : "ascending") : "none"}
                  >
                    <button class="sort" onClick={() => setBy(nextSorting(by, name, number))}>
                      {name}
                      <span aria-hidden="true">{by?.name === name ? (by.down ? " ↓" : " ↑") : ""}</span>
                    </button>
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, most).map((row) => {
              const one = looked(row);
              return <GroupRow key={one.group.key} {...{ of, row, columns, shared, onGroup }} one={one} />;
            })}
          </tbody>
          {grouped && (
            <tfoot class="quiet">
              {of.other && of.otherGroup && (
                <Sum {...{ of, columns, shared, looks, onGroup }} row={of.other} group={of.otherGroup} />
              )}
              {of.total && <Sum {...{ of, columns, shared, looks, onGroup }} row={of.total} group={TOTAL_GROUP} />}
            </tfoot>
          )}
        </table>
      </div>
      {rows.length > most && (
        <button onClick={() => setMost(most + ROWS_STEP)}>Show more of {plain(rows.length)} groups</button>
      )}
      {of.onlyBefore.length > 0 && (
        <p class="small quiet">
          Only in the earlier range: {of.onlyBefore.slice(0, 20).map((row) => groupOf(row, of.groups).name).join(", ")}
          {of.onlyBefore.length > 20 && ` and ${plain(of.onlyBefore.length - 20)} more`}
        </p>
      )}
    </section>
  );
}

function columnOf(of: Tabled, label: string): Column {
  const heats = of.heats.has(label) ? of.rows.map((row) => row[label]) : null;
  const lines = of.lines.get(label);
  let most = 0;
  for (const [key, line] of lines ?? []) {
    if (key !== OTHER && key !== TOTAL) for (const value of line) most = Math.max(most, value ?? 0);
  }
  return { label, lines, most, scale: heats ? heatScale(heats.filter(Array.isArray)) : null };
}

interface RowProps extends Omit<Props, "looks"> {
  row: Row;
  columns: readonly Column[];
  one: Looked;
}

function GroupRow({ of, row, columns, shared, onGroup, one }: RowProps) {
  const back = useShared(shared, (now) => now.group !== null && now.group !== one.group.key);
  return (
    <tr
      class={back ? "back" : undefined}
      onMouseEnter={() => shared.set({ group: one.group.key })}
      onMouseLeave={() => shared.set({ group: null })}
    >
      {of.groups.map((name, at) => (
        <td key={name}>
          {at === 0 && <Mark look={one.look} />}
          <button
            class="group-name"
            aria-haspopup="menu"
            onClick={(event) => onGroup(one.group, event.currentTarget)}
          >
            {groupOf(row, [name]).name}
          </button>
          {at === of.groups.length - 1 && of.onlyNow.has(one.group.key) && <span class="small quiet"> new</span>}
        </td>
      ))}
      {columns.map((column) => (
        <Value key={column.label} row={row} before={of.before.get(one.group.key)} column={column} one={one} />
      ))}
    </tr>
  );
}

function Mark({ look }: { look: SeriesLook | undefined }) {
  return (
    <svg class="mark" width="14" height="8" aria-hidden="true">
      {look && <path d="M0 4H14" stroke={look.colour} stroke-width="3" stroke-dasharray={look.dash.join(" ")} />}
    </svg>
  );
}

interface SumProps extends Props {
  row: Row;
  columns: readonly Column[];
  group: Group;
}

/** OTHER, or the total. */
function Sum({ of, row, columns, shared, looks, group, onGroup }: SumProps) {
  const look = looks.get(group.key);
  return (
    <tr onMouseEnter={() => shared.set({ group: group.key === OTHER ? OTHER : null })} onMouseLeave={() => shared.set({ group: null })}>
      <td colSpan={of.groups.length}>
        <Mark look={look} />
        <button class="group-name" aria-haspopup="menu" onClick={(event) => onGroup(group, event.currentTarget)}>
          {group.name}
        </button>
      </td>
      {columns.map((column) => (
        <Value key={column.label} row={row} column={column} one={{ group, look }} before={of.beforeSums.get(group.key)} />
      ))}
    </tr>
  );
}

// The groups of an answer as rows, with their lines over time, totals and OTHER.

import { useMemo, useState } from "preact/hooks";
import type { SeriesLook } from "../../../look/palette";
import { plain } from "../../../look/units";
import { groupOf, type Group, type Row } from "../graphs/answer";
import { addable } from "../graphs/form";
import { heatScale } from "../graphs/heat/heat_scale";
import { OTHER, TOTAL, TOTAL_GROUP } from "../graphs/other";
import type { Shared } from "../graphs/shared";
import { isSum, spanOf, type Column } from "./cells";
import { GroupRow, moveRow } from "./group_row";
import { ALL } from "./group_menu";
import type { Table } from "./copy";
import { CopyButtons } from "./copy_buttons";
import { nextSorting, sorted, type Sorting } from "./sort";
import type { Tabled } from "./tabled";

interface Props {
  of: Tabled;
  looks: ReadonlyMap<string, SeriesLook>;
  shared: Shared;
  /** In which order its rows are; null: that of the answer. */
  by: Sorting | null;
  onSort: (by: Sorting | null) => void;
  /** A group is chosen: what to do with it is asked beside the element. */
  onGroup: (group: Group, beside: Element) => void;
}

/** Rows that are drawn at first, and with each further step. */
const ROWS_STEP = 100;

export function GroupTable({ of, looks, shared, by, onSort, onGroup }: Props) {
  const [reached, setReached] = useState<string | null>(null);
  const [most, setMost] = useState(ROWS_STEP);
  const columns: readonly Column[] = useMemo(() => of.labels.map((label) => columnOf(of, label)), [of]);
  if (!of.rows.length) return <p class="quiet block">No event of the range matches.</p>;
  const rows = sorted(of.rows, by);
  const grouped = of.groups.length > 0;
  const listed = rows.slice(0, most).map((row) => ({ row, group: grouped ? groupOf(row, of.groups, of.mixed) : ALL }));
  const stop = listed.some((one) => one.group.key === reached) ? reached : listed[0]?.group.key;
  const common = (group: Group) => ({
    ...{ group, columns, shared, onGroup },
    groups: of.groups,
    look: looks.get(group.key),
    total: of.total,
    reached: group.key === stop,
    onReach: () => setReached(group.key),
  });
  return (
    <section class="block rows" aria-label="Groups">
      <div class="spread">
        <span class="small quiet">
          {grouped && `${plain(of.rows.length)} ${of.rows.length === 1 ? "group" : "groups"}`}
          {of.otherGroups > 0 && ` of ${plain(of.rows.length + of.otherGroups)}; sorting sorts those that are shown`}
        </span>
        <CopyButtons table={() => tableOf(of, columns, rows)} />
      </div>
      <div class="rows-scroll">
        <table class="groups" onKeyDown={moveRow}>
          <thead>
            <tr>
              {!grouped && <th><span class="hidden">events</span></th>}
              {[...of.groups.map((name) => ({ name, number: false })), ...of.labels.map((name) => ({ name, number: true }))].map(
                ({ name, number }) => (
                  <th
                    key={name}
                    class={number ? "number" : undefined}
                    aria-sort={by?.name === name ? (by.down ? "descending" : "ascending") : "none"}
                  >
                    <button class="sort" onClick={() => onSort(nextSorting(by, name, number))}>
                      {name}
                      <span aria-hidden="true">{by?.name === name ? (by.down ? " ↓" : " ↑") : ""}</span>
                    </button>
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {listed.map(({ group, row }) => (
              <GroupRow
                key={group.key}
                {...common(group)}
                row={row}
                before={of.before.get(group.key)}
                isNew={of.onlyNow.has(group.key)}
              />
            ))}
          </tbody>
          {grouped && (
            <tfoot class="quiet">
              {of.other && of.otherGroup && (
                <GroupRow {...common(of.otherGroup)} row={of.other} before={of.beforeSums.get(OTHER)} />
              )}
              {of.total && (
                <GroupRow {...common(TOTAL_GROUP)} row={of.total} before={of.beforeSums.get(TOTAL)} />
              )}
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

/** What is copied: all groups in the order that is shown, and where an earlier range is compared its values. */
function tableOf(of: Tabled, columns: readonly Column[], rows: readonly Row[]): Table {
  const labels = columns.filter((one) => !one.scale).map((one) => one.label);
  const sums = [
    ...(of.other && of.otherGroup ? [{ name: of.otherGroup.name, row: of.other, before: of.beforeSums.get(OTHER) }] : []),
    ...(of.total && of.groups.length ? [{ name: TOTAL, row: of.total, before: of.beforeSums.get(TOTAL) }] : []),
  ];
  const earlier = of.compared ? rows.map((row) => of.before.get(groupOf(row, of.groups).key)) : null;
  return { groups: of.groups, labels, rows, earlier, sums };
}

function columnOf(of: Tabled, label: string): Column {
  const heats = of.heats.has(label) ? of.rows.map((row) => row[label]) : null;
  const lines = of.lines.get(label);
  const span = spanOf([...(lines ?? [])].flatMap(([key, line]) => (isSum(key) ? [] : [line])));
  const adds = of.groups.length > 0 && addable({ op: of.ops.get(label) ?? "" }, lines?.values() ?? []);
  return { label, lines, span, adds, scale: heats ? heatScale(heats.filter(Array.isArray)) : null };
}

// One group as a row: its values, its line and its numbers; the whole row is hovered and clicked.

import type { SeriesLook } from "../../../look/palette";
import { groupOf, type Group, type Row } from "../graphs/answer";
import { TOTAL } from "../graphs/other";
import { useShared, type Shared } from "../graphs/shared";
import { Value, type Column } from "./cells";

export interface RowProps {
  group: Group;
  /** By name, or as one cell where it has no values. */
  groups: readonly string[];
  row: Row;
  before: Row | undefined;
  isNew?: boolean;
  columns: readonly Column[];
  look: SeriesLook | undefined;
  shared: Shared;
  /** The total, of which rows have a share. */
  total: Row | undefined;
  /** Whether the Tab key comes to it: to one row of a table, the arrows go to the others. */
  reached: boolean;
  onReach: () => void;
  onGroup: (group: Group, beside: Element) => void;
}

export function GroupRow(props: RowProps) {
  const { group, groups, row, before, isNew, columns, look, shared, total, reached, onReach, onGroup } = props;
  const standOut = () => shared.set({ group: group.key === TOTAL ? null : group.key });
  const back = useShared(shared, (now) => now.group !== null && now.group !== group.key);
  const cells = group.values && Object.keys(group.values).length ? groups : null;
  const rest = { role: undefined, tabIndex: -1 };
  return (
    <tr
      class={back ? "back" : undefined}
      onMouseEnter={standOut}
      onMouseLeave={() => shared.set({ group: null })}
      onClick={({ currentTarget, target }) => {
        // Not where somebody marks a text to copy it.
        if (target instanceof Element && !target.closest("button") && !getSelection()?.toString()) {
          currentTarget.querySelector("button")?.click();
        }
      }}
    >
      {(cells ?? [null]).map((name, at) => (
        <td key={name ?? ""} {...(name === null ? { colSpan: Math.max(1, groups.length) } : {})}>
          {at === 0 && <Mark look={look} />}
          <button
            class="group-name"
            aria-haspopup="menu"
            {...(at > 0 ? rest : { tabIndex: reached ? 0 : -1, "data-group": true })}
            onFocus={() => {
              onReach();
              standOut();
            }}
            onBlur={() => shared.set({ group: null })}
            onClick={(event) => onGroup(group, event.currentTarget)}
          >
            {name === null ? group.name || "all events" : groupOf(row, [name]).name}
          </button>
          {isNew && at === groups.length - 1 && <span class="small quiet"> new</span>}
        </td>
      ))}
      {columns.map((column) => (
        <Value key={column.label} {...{ row, before, column, group, look, total }} />
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

/** Arrows go from row to row. */
export function moveRow(event: KeyboardEvent): void {
  const by = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
  const table = event.currentTarget;
  if (by === undefined || !(table instanceof Element) || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...table.querySelectorAll<HTMLElement>("[data-group]")];
  const at = rows.findIndex((one) => one === document.activeElement);
  if (at < 0) return;
  event.preventDefault();
  rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
}

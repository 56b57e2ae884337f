// Events as rows of a table, and one of them whole under its row.

import { Fragment, type ComponentChildren } from "preact";
import { isNumber } from "../../../api/exact";
import type { Row } from "../../../api/types";
import { timeOf, utcOf } from "../../../look/times";
import { useRows, type Rows } from "../../../parts/use_rows";
import { textOf } from "./one";
import { unfolded } from "./unfold";

/** An event, or a line that says what is missing there. */
export type Line = { key: number } & ({ row: Row } | { words: string });

interface Props {
  lines: readonly Line[];
  columns: readonly string[];
  /** The key of the event that is shown whole. */
  chosen: number | null;
  whole: (row: Row) => ComponentChildren;
  onChoose: (key: number | null) => void;
  onColumns: (names: readonly string[]) => void;
}

export function EventTable({ lines, columns, chosen, whole, onChoose, onColumns }: Props) {
  const rows = useRows(lines.flatMap((one) => ("row" in one ? [one.key] : [])));
  return (
    <table {...rows.list}>
      <thead>
        <tr>
          <th>time</th>
          {columns.map((name) => (
            <th key={name}>
              {name}
              <button class="small" aria-label={`Without the column ${name}`} onClick={(event) => {
                const head = event.currentTarget.parentElement;
                (head?.nextElementSibling ?? head?.previousElementSibling)?.querySelector("button")?.focus();
                onColumns(columns.filter((one) => one !== name));
              }}>
                ×
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {lines.map((line) =>
          "words" in line ? (
            <tr key={line.key}><td class="quiet small" colSpan={columns.length + 1}>{line.words}</td></tr>
          ) : (
            <Fragment key={line.key}>
              <EventRow row={line.row} columns={columns} open={line.key === chosen} reach={rows.row(line.key)} onOpen={(open) => onChoose(open ? line.key : null)} />
              {line.key === chosen && <tr><td class="whole" colSpan={columns.length + 1}>{whole(line.row)}</td></tr>}
            </Fragment>
          ),
        )}
      </tbody>
    </table>
  );
}

interface RowProps {
  row: Row;
  columns: readonly string[];
  open: boolean;
  reach: ReturnType<Rows["row"]>;
  onOpen: (open: boolean) => void;
}

function EventRow({ row, columns, open, reach, onOpen }: RowProps) {
  const at = Date.parse(row.time) / 1000;
  return (
    <tr class={open ? "chosen" : undefined}>
      <td>
        <button class="mono" {...reach} title={utcOf(at)} aria-expanded={open} onClick={() => onOpen(!open)}>{timeOf(at)}</button>
      </td>
      {columns.map((name) => (
        <td key={name} class={isNumber(row.data[name]) ? "number" : undefined}><bdi>{cellOf(row.data, name)}</bdi></td>
      ))}
    </tr>
  );
}

/** Characters of a value in the table; the whole one stands in the event. */
const CELL = 200;

/** What a column shows: a field, or a part of one as `meta.deep`. */
function cellOf(data: Record<string, unknown>, name: string): string {
  if (name in data) return textOf(data[name]).slice(0, CELL);
  const field = Object.keys(data).find((one) => name.startsWith(`${one}.`) || name.startsWith(`${one}[`));
  if (field === undefined) return "";
  const line = unfolded({ [field]: data[field] }).find((one) => one.name === name);
  return textOf(line?.value).slice(0, CELL);
}

// The groups of an answer as rows, with totals and OTHER.

import { shown, unitOf } from "../../look/units";
import type { Query } from "../../api/types";

export type Row = Record<string, unknown>;

interface Props {
  spec: Query;
  rows: readonly Row[];
  total: Row | undefined;
  other: Row | undefined;
  otherGroups: number;
}

export function GroupTable({ spec, rows, total, other, otherGroups }: Props) {
  const groups = spec.breakdowns ?? [];
  const first = rows[0] ?? total ?? {};
  const labels = Object.keys(first).filter((name) => !groups.includes(name) && !Array.isArray(first[name]));
  if (!rows.length) return <p class="quiet">No event of the range matches.</p>;
  return (
    <table class="groups">
      <thead>
        <tr>
          {groups.map((name) => (
            <th key={name}>{name}</th>
          ))}
          {labels.map((name) => (
            <th key={name} class="number">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          <tr key={at}>
            {groups.map((name) => (
              <td key={name}>{row[name] === null ? <span class="quiet">(missing)</span> : shown(row[name])}</td>
            ))}
            <Values row={row} labels={labels} />
          </tr>
        ))}
      </tbody>
      {groups.length > 0 && (
        <tfoot class="quiet">
          {other && otherGroups > 0 && (
            <tr>
              <td colSpan={groups.length}>other ({otherGroups.toLocaleString("en-US")})</td>
              <Values row={other} labels={labels} />
            </tr>
          )}
          {total && (
            <tr>
              <td colSpan={groups.length}>total</td>
              <Values row={total} labels={labels} />
            </tr>
          )}
        </tfoot>
      )}
    </table>
  );
}

function Values({ row, labels }: { row: Row; labels: readonly string[] }) {
  return (
    <>
      {labels.map((name) => (
        <td key={name} class="number">
          {shown(row[name], unitOf(name))}
        </td>
      ))}
    </>
  );
}

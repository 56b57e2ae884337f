// The question as rows: the same as its text, for clicking.

import { useState } from "preact/hooks";
import type { Query } from "../../../../api/types";
import type { TextFault } from "../../use_question";
import { Chips } from "./chips";
import { asGroups, otherCombination, ROWS, type Row, type RowName } from "./rows";
import { Settings } from "./settings";

interface Props {
  spec: Query;
  dataset: string;
  faults: readonly TextFault[];
  /** Whether it is shown on narrow screens too. */
  unfolded: boolean;
  onSpec: (spec: Query) => void;
  onRun: () => void;
}

/** Rows that stand there only once they are needed. */
const MORE: readonly (readonly [RowName, string])[] = [
  ["let", "calculated field"],
  ["per", "whole traces"],
  ["order", "order"],
  ["having", "having"],
];

export function Builder({ spec, dataset, faults, unfolded, onSpec, onRun }: Props) {
  const [opened, setOpened] = useState<ReadonlySet<RowName>>(new Set());
  const grouped = Boolean(spec.breakdowns?.length || spec.per !== undefined);
  const shown = (row: Row) =>
    opened.has(row.name) || row.pieces(spec).length > 0 || (grouped && (row.name === "order" || row.name === "having"));
  const chips = (row: Row, change = (next: Query) => onSpec(asGroups(next))) => (
    <Chips
      key={row.name}
      row={row}
      spec={spec}
      dataset={dataset}
      faults={faults.filter((one) => row.members.some((member) => member === one.member))}
      focus={opened.has(row.name) && row.pieces(spec).length === 0}
      onSpec={change}
      onRun={onRun}
      {...(row.name === "where" ? { onBetween: () => onSpec(otherCombination(spec)) } : {})}
    />
  );
  return (
    <div class={unfolded ? "ask-rows unfolded" : "ask-rows"}>
      {shown(ROWS.let) && chips(ROWS.let, onSpec)}
      {chips(ROWS.visualize, onSpec)}
      {chips(ROWS.where, onSpec)}
      <div class="ask-beside">
        {shown(ROWS.per) && chips(ROWS.per)}
        {chips(ROWS.group)}
        {shown(ROWS.order) && chips(ROWS.order)}
        {shown(ROWS.having) && chips(ROWS.having)}
      </div>
      <Settings spec={spec} faults={faults} onSpec={onSpec}>
        {MORE.filter(([name]) => !shown(ROWS[name])).map(([name, words]) => (
          <button key={name} class="small quiet" onClick={() => setOpened((old) => new Set([...old, name]))}>
            + {words}
          </button>
        ))}
      </Settings>
    </div>
  );
}

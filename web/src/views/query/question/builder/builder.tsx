// The question as rows: the same as its text, for clicking.

import type { Query } from "../../../../api/types";
import { Chips } from "./chips";
import { otherCombination, ROWS } from "./rows";
import { Settings } from "./settings";

interface Props {
  spec: Query;
  dataset: string;
  onSpec: (spec: Query) => void;
  onRun: () => void;
}

export function Builder({ spec, dataset, onSpec, onRun }: Props) {
  const common = { spec, dataset, onRun, onSpec: (next: Query) => onSpec(asGroups(next)) };
  const grouped = Boolean(spec.breakdowns?.length || spec.per !== undefined);
  return (
    <div class="ask-rows">
      <Chips row={ROWS.visualize} {...common} />
      <Chips row={ROWS.where} {...common} onSpec={onSpec} onBetween={() => onSpec(otherCombination(spec))} />
      <div class="ask-beside">
        <Chips row={ROWS.group} {...common} />
        {(grouped || spec.orders?.length) && <Chips row={ROWS.order} {...common} />}
        {(grouped || spec.havings?.length) && <Chips row={ROWS.having} {...common} />}
      </div>
      <Settings spec={spec} onSpec={onSpec} />
    </div>
  );
}

/** What asks for events themselves asks for groups, once these are said. */
function asGroups(spec: Query): Query {
  const { rows: _, ...rest } = spec as Query & { rows?: true };
  return rest;
}

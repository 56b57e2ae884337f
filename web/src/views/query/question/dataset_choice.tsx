// Which dataset is asked: that of the address, another one, or all of them, as FROM says it.

import { useState } from "preact/hooks";
import { ALL_DATASETS, namesOfDatasets } from "../../../api/datasets";

interface Props {
  /** The dataset of the address. */
  here: string;
  /** What stands after FROM. */
  chosen: string | null;
  onDataset: (name: string | null) => void;
}

export function DatasetChoice({ here, chosen, onDataset }: Props) {
  const [names, setNames] = useState<readonly string[]>([]);
  const asked = chosen ?? here;
  const others = [...new Set([...names, asked, ALL_DATASETS])].filter((one) => one !== here);
  return (
    <label>
      <span class="hidden">dataset</span>
      <select
        class="ask-dataset"
        value={asked}
        onFocus={() => void namesOfDatasets().then(setNames)}
        onChange={(event) => {
          const name = event.currentTarget.value;
          onDataset(name === here ? null : name);
        }}
      >
        <option value={here}>{said(here)}</option>
        {others.map((one) => (
          <option key={one} value={one}>
            {said(one)}
          </option>
        ))}
      </select>
    </label>
  );
}

function said(name: string): string {
  return name === ALL_DATASETS ? "all datasets" : name;
}

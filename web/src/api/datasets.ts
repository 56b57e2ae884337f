// The datasets that there are, for controls that choose one.

import { call } from "./client";

/** Where a dataset is named: all of the environment. */
export const ALL_DATASETS = "__all__";

/** The names that addresses and FROM have for them; none where they cannot be told. */
export async function namesOfDatasets(): Promise<string[]> {
  const found = await call("listDatasets").catch(() => []);
  return found.map((one) => one.slug);
}

// The datasets that there are, for controls that choose one.

import { call } from "./client";

/** Where a dataset is named: all of the environment. */
export const ALL_DATASETS = "__all__";

/** Where the program's own events are. */
const OWN = "bellwether";

/** The names of all datasets but the program's own; undefined, which stands for all, without others. */
export async function namesOfOthers(): Promise<string[] | undefined> {
  const others = (await namesOfDatasets()).filter((name) => name !== OWN);
  return others.length ? others : undefined;
}

/** The names that addresses and FROM have for them; none where they cannot be told. */
export async function namesOfDatasets(): Promise<string[]> {
  const found = await call("listDatasets").catch(() => []);
  return found.map((one) => one.slug);
}

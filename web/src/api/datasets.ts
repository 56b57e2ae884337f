// The names of datasets, for controls that choose one.

import { call } from "./client";

/** The names of all datasets; none where they cannot be told. */
export async function namesOfDatasets(): Promise<string[]> {
  const found = await call("listDatasets").catch(() => []);
  return (found as { name?: string }[]).flatMap((one) => (one.name ? [one.name] : []));
}

// The conditions of groups: node conditions.mjs FOLDER, with the page's sources. Reads a JSON list of
// the groups of a field `v`, and prints of each what "Only this" adds to a question.

import { readFileSync } from "node:fs";
import { bundled } from "./bundled.mjs";

const page = await bundled(
  `
    export { groupOf } from "./views/query/graphs/answer";
    export { meant } from "./views/query/graphs/change";
    export { mixedFields } from "./api/mixed";
    export { readJson, writeJson } from "./api/exact";`,
  process.argv[2],
);

const rows = page.readJson(readFileSync(0, "utf8")).map((v) => ({ v }));
const mixed = page.mixedFields(rows, ["v"]);
console.log(page.writeJson(rows.map((row) => page.meant(page.groupOf(row, ["v"], mixed)))));

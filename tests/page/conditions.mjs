// The conditions of groups: node conditions.mjs FOLDER, with the page's sources. Reads a JSON list of
// the groups of a field `v`, and prints of each what "Only this" adds to a question.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.cwd()}/`);
const { buildSync } = require("esbuild");
const made = buildSync({
  stdin: {
    contents: `
      export { groupOf } from "./views/query/graphs/answer";
      export { meant } from "./views/query/graphs/change";
      export { mixedFields } from "./api/mixed";
      export { readJson, writeJson } from "./api/exact";`,
    resolveDir: process.argv[2],
    loader: "ts",
  },
  bundle: true,
  format: "esm",
  write: false,
});
const source = Buffer.from(made.outputFiles[0].contents).toString("base64");
const page = await import(`data:text/javascript;base64,${source}`);

const rows = page.readJson(readFileSync(0, "utf8")).map((v) => ({ v }));
const mixed = page.mixedFields(rows, ["v"]);
console.log(page.writeJson(rows.map((row) => page.meant(page.groupOf(row, ["v"], mixed)))));

// The rows of the builder for specifications: node pieces.mjs FOLDER, with the page's sources.
// Reads a JSON list of specifications, and prints the text that the pieces of each make together.

import { readFileSync } from "node:fs";
import { bundled } from "./bundled.mjs";

const exports = 'export * from "./views/query/question/builder/say"; export { readJson } from "./api/exact";';
const say = await bundled(exports, process.argv[2]);

function textOf(spec) {
  const clauses = [say.sayBeginning(spec)];
  const all = (word, pieces, between) => pieces.length && clauses.push(`${word} ${pieces.join(between)}`);
  all("WHERE", (spec.filters ?? []).map(say.sayFilter), ` ${spec.filter_combination ?? "AND"} `);
  all("HAVING", (spec.havings ?? []).map(say.sayHaving), " AND ");
  all("ORDER BY", (spec.orders ?? []).map(say.sayOrder), ", ");
  return clauses.join(" ");
}

console.log(JSON.stringify(say.readJson(readFileSync(0, "utf8")).map(textOf)));

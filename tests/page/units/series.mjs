// What graphs draw of answers: node series.mjs FOLDER, with the page's sources. Reads a JSON list of
// results, and prints for each the lines, those of the earlier range, and the bins of heatmaps.

import { readFileSync } from "node:fs";
import { bundled } from "./bundled.mjs";

const page = await bundled(
  `
    export { readAnswer } from "./views/query/graphs/answer";
    export { readJson, writeJson } from "./api/exact";`,
  process.argv[2],
);

const plain = (lines) => [...lines].map(([label, of]) => [label, [...of]]);
const drawn = page.readJson(readFileSync(0, "utf8")).map((result) => {
  const { times, groups, lines, before, heats } = page.readAnswer(result, result.query);
  return { times, groups, lines: plain(lines), before: plain(before), heats: [...heats] };
});
console.log(page.writeJson(drawn));

// JSON read and written again as the page does: node exact.mjs FOLDER, with the page's sources.
// Reads a JSON list of texts that are JSON, and prints each as it was written again.

import { readFileSync } from "node:fs";
import { bundled } from "./bundled.mjs";

const { readJson, writeJson } = await bundled('export { readJson, writeJson } from "./api/exact";', process.argv[2]);

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map((text) => writeJson(readJson(text)))));

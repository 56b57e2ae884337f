// Bundles the page: `node build.mjs FOLDER` writes index.html, one script and one style sheet there,
// the two named by what is in them, so that browsers may keep them for ever.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build } from "esbuild";

const folder = process.argv[2];
if (!folder) {
  console.error("name the folder to write to");
  process.exit(2);
}
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const made = await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: { page: "src/main.tsx" },
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  outdir: folder,
  entryNames: "[name]-[hash]",
  metafile: true,
  legalComments: "linked",
  logLevel: "warning",
});
const names = Object.keys(made.metafile.outputs).map((name) => basename(name));
const named = (ending) => {
  const found = names.find((name) => name.endsWith(ending));
  if (!found) throw new Error(`the build made no ${ending} file`);
  return found;
};
const template = await readFile(join(import.meta.dirname, "index.html"), "utf8");
await writeFile(
  join(folder, "index.html"),
  template.replace("PAGE.css", named(".css")).replace("PAGE.js", named(".js")),
);

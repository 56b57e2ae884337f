// Bundles the page: `node build.mjs FOLDER` writes index.html and docs.html there, with scripts and
// style sheets that are named by what is in them, so that browsers may keep them for ever.

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
  entryPoints: { page: "src/main.tsx", docs: "src/docs/main.tsx" },
  bundle: true,
  splitting: true,
  minify: false,
  format: "esm",
  target: "es2022",
  outdir: folder,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  metafile: true,
  legalComments: "linked",
  logLevel: "warning",
});
const names = Object.keys(made.metafile.outputs).map((name) => basename(name));
const named = (entry, ending) => {
  const found = names.find((name) => name.startsWith(`${entry}-`) && name.endsWith(ending));
  if (!found) throw new Error(`the build made no ${ending} file of ${entry}`);
  return found;
};
for (const [file, entry] of [["index.html", "page"], ["docs.html", "docs"]]) {
  const template = await readFile(join(import.meta.dirname, file), "utf8");
  const place = entry.toUpperCase();
  await writeFile(
    join(folder, file),
    template.replace(`${place}.css`, named(entry, ".css")).replace(`${place}.js`, named(entry, ".js")),
  );
}

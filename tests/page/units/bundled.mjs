// Parts of the page's sources as a module of this process, with which pure functions are called
// without a browser. Packages are those of the working directory.

import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { buildSync } = require("esbuild");

/** exports: TypeScript that exports what is wanted; sources: the folder its paths start at. */
export async function bundled(exports, sources) {
  const made = buildSync({
    stdin: { contents: exports, resolveDir: sources, loader: "ts" },
    bundle: true,
    format: "esm",
    write: false,
    jsx: "automatic",
    jsxImportSource: "preact",
    nodePaths: [`${process.cwd()}/node_modules`],
    alias: { uplot: new URL("no_uplot.mjs", import.meta.url).pathname },
  });
  const source = Buffer.from(made.outputFiles[0].contents).toString("base64");
  return await import(`data:text/javascript;base64,${source}`);
}

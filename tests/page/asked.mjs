// Asks the test that started this script to do something to the server, and waits until it is done.

import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** `name`: of one of the deeds that the test gave `drive_script`. */
export async function askFor(name) {
  console.log(`do ${name}`);
  const { value } = await lines.next();
  if (value !== "done") throw new Error(`${name} was not done: ${value}`);
}


@PAD@

function parse(t) { throw new Error("bad amount"); }

@PAD@

function price(t) { throw new Error("bad amount"); }
class Server { handle(kind) { return [1].map((x) => ({parse, price})[kind](x)); } }

@PAD@

async function main() { await null; try { new Server().handle(process.argv[2]); } catch (e) { if (process.argv[3]) throw new Error("request failed", {cause: e}); console.error(e.stack); } }
main();

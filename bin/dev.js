#!/usr/bin/env node
// The same program from the TypeScript sources: no build, no manifest. Needs a Node that strips types.
import { nodeIsFit, root } from "./node-version.js";

if (nodeIsFit(22, 18)) {
  const { main } = await import("../src/cli/main.ts");
  await main(process.argv.slice(2), { root, sources: true, exit: (code) => process.exit(code) });
}

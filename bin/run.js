#!/usr/bin/env node
import module from "node:module";
import { join } from "node:path";
import { nodeIsFit, root } from "./node-version.js";

if (nodeIsFit(22, 13)) {
  module.enableCompileCache?.(join(root, "dist", ".cache"));
  const args = process.argv.slice(2);
  // The most asked question needs no framework.
  if (args.length === 1 && (args[0] === "--version" || args[0] === "version")) {
    const { versionText } = await import("../dist/cli/version.js");
    process.stdout.write(versionText(root));
  } else {
    const { main } = await import("../dist/cli/main.js");
    await main(args, { root, sources: false, exit: (code) => process.exit(code) });
  }
}

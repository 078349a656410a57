#!/usr/bin/env node
import { isBuilt, nodeIsFit, root } from "./node-version.js";

if (nodeIsFit(22, 13) && isBuilt()) {
  const args = process.argv.slice(2);
  // The most asked question needs neither the framework nor a compile cache.
  if (args.length === 1 && (args[0] === "--version" || args[0] === "version")) {
    const { versionText } = await import("../dist/cli/version.js");
    process.stdout.on("error", (error) => {
      if (error.code === "EPIPE") return;
      process.stderr.write(`Error: cannot write the output: ${error.message}\n`);
      process.exit(1);
    });
    process.stdout.write(versionText(root));
  } else {
    const { default: module } = await import("node:module");
    module.enableCompileCache?.(`${root}/.cache/compile`);
    const { main } = await import("../dist/cli/main.js");
    await main(args, { root, sources: false, exit: (code) => process.exit(code) });
  }
}

// Plain JavaScript that also an old Node can read: decides which Node runs the product.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** True when this Node is new enough. Otherwise the package's own Node takes over, or one line says what is missing. */
export function nodeIsFit(major, minor) {
  const [ownMajor, ownMinor] = process.versions.node.split(".").map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return true;
  const other = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  if (existsSync(other)) void handOver(other);
  else {
    process.stderr.write(`multica needs Node ${major}.${minor} or newer; this is ${process.version}\n`);
    process.exitCode = 1;
  }
  return false;
}

/** True when `npm run build` has run; otherwise one line says so. A published package is always built. */
export function isBuilt() {
  if (existsSync(join(root, "dist", "cli", "main.js"))) return true;
  process.stderr.write("multica is not built yet: run `npm run build` (or `npm run dev -- …` for the sources)\n");
  process.exitCode = 1;
  return false;
}

async function handOver(node) {
  const { spawn } = await import("node:child_process");
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  child.on("error", (error) => {
    process.stderr.write(`cannot start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    for (const name of signals) process.off(name, forward);
    if (signal === null) process.exitCode = code ?? 1;
    else process.kill(process.pid, signal);
  });
}

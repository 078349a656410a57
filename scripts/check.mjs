// What CI runs before the tests: types, lint, import rules, dead code, the coverage table, current generated files. Every part runs, so
// that one look shows everything; the exit code is 1 when any of them complained.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bin = (name) => join(root, "node_modules", ".bin", name);
const parts = [
  ["types", bin("tsc"), ["--noEmit", "-p", "tsconfig.json"]],
  ["lint", bin("eslint"), ["--max-warnings", "0", "."]],
  ["import rules", bin("depcruise"), ["--config", ".dependency-cruiser.mjs", "--output-type", "err", "src"]],
  ["dead code", process.execPath, ["scripts/dead-code.mjs"]],
  ["coverage table", process.execPath, ["scripts/coverage.mjs"]],
  ["generated files", process.execPath, ["scripts/manifest.ts", "--check"]],
];

let failed = 0;
for (const [name, command, args] of parts) {
  const start = performance.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;

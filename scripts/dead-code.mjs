// Unused exports and unused files. An export counts as used when another file of src imports it, or a test, a bench or
// a script does; what only its own tests use is still dead.
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { analyzeTsConfig } from "ts-unused-exports";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
// Entries: loaded by oclif, by bin/ or as a process of their own.
const entries = ["src/commands/", "src/hooks/", "src/help.ts", "src/cli/main.ts", "src/lib/daemon/main.ts", "src/lib/server/main.ts"];
const result = analyzeTsConfig(join(root, "tsconfig.json"), ["--allowUnusedTypes"]);

let count = 0;
for (const [file, names] of Object.entries(result.unusedExports ?? result)) {
  const path = relative(root, file);
  if (entries.some((entry) => path.startsWith(entry)) || !path.startsWith("src/") || path.endsWith("index.ts")) continue;
  const list = names.map((item) => item.exportName ?? item);
  if (list.length === 0) continue;
  count += list.length;
  console.error(`${path}: unused export ${list.join(", ")}`);
}
process.exitCode = count === 0 ? 0 : 1;

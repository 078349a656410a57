// The table of docs/coverage-of-the-daemon.md: every row has a file and a test, and each of them exists.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const page = "docs/coverage-of-the-daemon.md";
const faults = [];
let rows = 0;
for (const line of readFileSync(join(root, page), "utf8").split("\n")) {
  if (!line.startsWith("|") || /^\|(-+\|)+$/.test(line.replaceAll(" ", "")) || line.startsWith("| System")) continue;
  const [system = "", files = "", tests = ""] = line.split("|").slice(1).map((cell) => cell.trim());
  rows += 1;
  const paths = (cell, below) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => `${below}/${match[1]}`);
  for (const [what, found] of [["file", paths(files, "src/lib")], ["test", paths(tests, "test")]]) {
    if (found.length === 0) faults.push(`${system}: no ${what}`);
    for (const path of found) if (!existsSync(join(root, path))) faults.push(`${system}: ${path} does not exist`);
  }
}
if (rows < 60) faults.push(`only ${rows} rows were found`);
for (const fault of faults) console.error(`${page}: ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;

// Writes what is generated from the command classes: oclif.manifest.json and the command list of the README.
// `--check` compares instead and fails when either is stale. Runs on the sources; no build is needed.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Plugin } from "@oclif/core/config";
import type { Interfaces } from "@oclif/core";
import { settings } from "@oclif/core/settings";

type Pjson = Interfaces.PJSON;

const root = join(import.meta.dirname, "..");
const check = process.argv.includes("--check");
const START = "<!-- commands -->";
const END = "<!-- /commands -->";

const manifest = await buildManifest();
const stale = [
  ...update("oclif.manifest.json", `${JSON.stringify(manifest, null, 2)}\n`),
  ...updateReadme(commandList(manifest)),
];
if (stale.length > 0 && check) {
  process.stderr.write(`${stale.join(", ")} is stale: run npm run generate\n`);
  process.exitCode = 1;
}

async function buildManifest(): Promise<Record<string, unknown>> {
  settings.enableAutoTranspile = false;
  const pjson = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Pjson;
  const oclif = JSON.parse(JSON.stringify(pjson.oclif).replaceAll("./dist/", "./src/")) as Pjson["oclif"];
  const plugin = new Plugin({
    root,
    isRoot: true,
    type: "core",
    ignoreManifest: true,
    errorOnManifestCreate: true,
    respectNoCacheDefault: true,
    pjson: { ...pjson, oclif: { ...oclif, plugins: [] } },
  });
  await plugin.load();
  const built = JSON.stringify(plugin.manifest, (key, value: unknown) => (key === "relativePath" ? built2dist(value) : value));
  return sorted(JSON.parse(built)) as Record<string, unknown>;
}

/** The published program runs the build: `src/commands/x.ts` there is `dist/commands/x.js`. */
function built2dist(path: unknown): unknown {
  if (!Array.isArray(path)) return path;
  return path.map((part, at) => (at === 0 && part === "src" ? "dist" : String(part).replace(/\.ts$/, ".js")));
}

/** Keys in order, so that equal commands give equal files; but arguments stay as they are typed: help shows them so. */
function sorted(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((entry) => sorted(entry));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  if (key !== "args") entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, entry]) => [name, sorted(entry, name)]));
}

function commandList(built: Record<string, unknown>): string {
  const commands = Object.values(built["commands"] as Record<string, { id: string; summary?: string; hidden?: boolean; args: Record<string, { name: string; required?: boolean }> }>);
  const rows = commands
    .filter((command) => command.hidden !== true)
    .map((command) => {
      const args = Object.values(command.args).map((arg) => (arg.required === true ? ` <${arg.name}>` : ` [${arg.name}]`));
      return `| \`multica ${command.id.replaceAll(":", " ")}${args.join("")}\` | ${(command.summary ?? "").replaceAll("|", "\\|")} |`;
    });
  return ["| Command | What it does |", "|---|---|", ...rows].join("\n");
}

function updateReadme(list: string): string[] {
  const text = read("README.md");
  const from = text.indexOf(START);
  const to = text.indexOf(END);
  if (from === -1 || to < from) return [];
  return update("README.md", `${text.slice(0, from + START.length)}\n\n${list}\n\n${text.slice(to)}`);
}

function update(name: string, text: string): string[] {
  if (read(name) === text) return [];
  if (!check) writeFileSync(join(root, name), text);
  return [name];
}

function read(name: string): string {
  try {
    return readFileSync(join(root, name), "utf8");
  } catch {
    return "";
  }
}

// Bundles src into dist with code splitting: every command stays a file of its own (oclif loads just the one that is
// asked for), shared code goes into chunks, and libraries are bundled so that a start reads a few files, not hundreds.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(root, "dist");
// Built beside and moved into place: a command that starts meanwhile finds the old files or the new ones, never none.
const fresh = join(root, `.dist-${process.pid}`);
const old = join(root, `.dist-old-${process.pid}`);
const files = (folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));

const entryPoints = [
  ...files("src/commands"),
  ...files("src/hooks"),
  ...["src/cli/main.ts", "src/cli/version.ts", "src/help.ts", "src/lib/daemon/main.ts", "src/lib/server/main.ts", "src/lib/state/index-db/worker.ts", "src/lib/exec/host/main.ts"].map((path) => join(root, path)),
].filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const result = await build({
  entryPoints,
  outdir: fresh,
  outbase: join(root, "src"),
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22.13",
  chunkNames: "chunks/[name]-[hash]",
  sourcemap: "linked",
  sourcesContent: false,
  legalComments: "none",
  // The framework asks for these only to run a plugin's TypeScript sources, which we never let it do.
  // Terminals are a native library that only exec hosts load, from where it is installed.
  external: ["typescript", "ts-node", "@lydell/node-pty"],
  logLevel: "warning",
  metafile: true,
  define: { __MULTICA_VERSION__: JSON.stringify(version) },
  // Libraries that are CommonJS ask for node's own modules with require().
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
});
writeFileSync(join(fresh, "build.json"), `${JSON.stringify(source())}\n`);
place();
if (!process.argv.includes("--quiet")) {
  const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
  console.log(`built ${entryPoints.length} entries, ${Math.round(bytes / 1024)} KiB with source maps`);
}

/** What `multica version` tells of this build: the commit it was made from and that commit's day; nothing outside a checkout. */
function source() {
  if (!existsSync(join(root, ".git"))) return {};
  try {
    const text = execFileSync("git", ["log", "-1", "--format=%h %cs"], { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const [commit, date] = text.trim().split(" ");
    return { commit, date };
  } catch {
    return {};
  }
}

/** Moves the build into place; another build may do the same at this moment, and either one's files are as good. */
function place() {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      if (existsSync(out)) renameSync(out, old);
      renameSync(fresh, out);
      break;
    } catch (error) {
      if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(error.code)) throw error;
    } finally {
      rmSync(old, { recursive: true, force: true, maxRetries: 3, retryDelay: 20 });
    }
  }
  rmSync(fresh, { recursive: true, force: true, maxRetries: 3, retryDelay: 20 });
}

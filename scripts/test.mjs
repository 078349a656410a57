// `npm test`: builds, then runs vitest with a home of its own, so that neither a test nor the runner itself (it keeps a
// token below the user's data directory) touches the real one. Arguments are passed on to vitest.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const home = join(root, ".cache", "test-home");
rmSync(home, { recursive: true, force: true });
mkdirSync(home, { recursive: true });

const { XDG_DATA_HOME: _data, XDG_CONFIG_HOME: _config, XDG_CACHE_HOME: _cache, ...kept } = process.env;
const inherited = Object.entries(kept).filter(([name]) => !name.startsWith("MULTICA_"));
const env = { ...Object.fromEntries(inherited), HOME: home };
const run = (script, args) => spawnSync(process.execPath, [join(root, script), ...args], { cwd: root, env, stdio: "inherit" }).status ?? 1;

process.exitCode = run("scripts/build.mjs", ["--quiet"]) || run("node_modules/vitest/vitest.mjs", ["run", ...process.argv.slice(2)]);

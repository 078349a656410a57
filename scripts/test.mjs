// `npm test`: builds, then runs vitest with a home and a temporary directory of its own, so that neither a test nor the
// runner itself (it keeps a token below the user's data directory) touches the real ones. Arguments are passed on to vitest.
// The runner has a process group of its own and a deadline: a test that signals the wrong group or hangs ends this run, not
// the shell above it. What still runs afterwards is a failure: a test never leaves a process.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const args = process.argv.slice(2);
const limitMs = (args.includes("--config") ? 90 : 18) * 60_000;
const home = join(root, ".cache", "test-home");
rmSync(home, { recursive: true, force: true });
mkdirSync(home, { recursive: true });
// Short: sockets live below it, and their paths may have no more than 107 bytes.
const temp = mkdtempSync(join(tmpdir(), "mt-"));
// Some tests run as another user, for whom this is the machine's temporary directory too.
chmodSync(temp, 0o755);

const { XDG_DATA_HOME: _data, XDG_CONFIG_HOME: _config, XDG_CACHE_HOME: _cache, ...kept } = process.env;
const inherited = Object.entries(kept).filter(([name]) => !name.startsWith("MULTICA_"));
const mark = `TEST_RUN=${process.pid}-${Date.now()}`;
const env = { ...Object.fromEntries(inherited), HOME: home, TMPDIR: temp, TEST_RUN: mark.slice("TEST_RUN=".length) };

/** Living processes of this run, by their environment; only Linux shows it. */
function leftovers() {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(mark)) return [];
      return [{ pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim() }];
    } catch {
      return [];
    }
  });
}

const signalGroup = (pid, signal) => {
  try {
    if (pid > 1) process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
};

async function vitest() {
  const child = spawn(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", ...args], { cwd: root, env, stdio: "inherit", detached: true });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => signalGroup(child.pid, signal));
  const timer = setTimeout(() => {
    console.error(`the tests did not end within ${limitMs / 60_000} minutes; still running:`);
    for (const { pid, command } of leftovers()) console.error(`  ${pid} ${command}`);
    signalGroup(child.pid, "SIGKILL");
  }, limitMs);
  const code = await new Promise((resolve) => child.on("exit", (status) => resolve(status ?? 1)));
  clearTimeout(timer);
  return code;
}

function sweep() {
  const left = leftovers();
  for (const { pid, command } of left) {
    console.error(`a test left a process behind: ${pid} ${command}`);
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has just ended.
    }
  }
  return left.length === 0 ? 0 : 1;
}

const built = spawnSync(process.execPath, [join(root, "scripts/build.mjs"), "--quiet"], { cwd: root, env, stdio: "inherit" }).status ?? 1;
const tested = built === 0 ? await vitest() : built;
process.exitCode = tested || sweep();
rmSync(temp, { recursive: true, force: true, maxRetries: 5 });

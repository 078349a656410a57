import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { UpdateAction } from "../../../src/lib/daemon/actions/update.ts";
import { ClaimBarrier } from "../../../src/lib/daemon/barrier.ts";
import { runAutoUpdate, runSelfReload } from "../../../src/lib/daemon/loops/updates.ts";
import { isNewer, releaseSource } from "../../../src/lib/daemon/update/release.ts";
import { restartTarget } from "../../../src/lib/daemon/update/target.ts";
import { type UpdateParts, Updates } from "../../../src/lib/daemon/update/updates.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { answeringServer } from "../../support/answering-server.ts";
import { recordingLogger } from "../../support/recording-logger.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

/** A machine with a release source of two versions, an update command that writes down what it was told, and a program on disk. */
async function machine(change: Partial<UpdateParts> & { readonly program?: string; readonly command?: string } = {}) {
  const dir = tempDir();
  const releases = { version: "1.3.0", versions: ["1.2.0", "1.3.0"] };
  const { url } = await answeringServer({ "GET /releases": () => ({ body: releases }) });
  const script = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const install = script("install", change.command ?? `echo "$@" >> '${join(dir, "installed")}'`);
  const program = script("program", change.program ?? 'echo "multica 1.2.0 (commit: x, built: y)"');
  const root = new AbortController();
  const { logger, lines } = recordingLogger();
  const barrier = new ClaimBarrier();
  const state = { restarts: 0, woken: 0 };
  const env = { PATH: process.env["PATH"] ?? "" };
  const clock = new HeldClock();
  const parts: UpdateParts = {
    barrier, clock, logger, env,
    rootSignal: root.signal,
    wake: () => (state.woken += 1),
    version: "1.2.0",
    target: () => ({ command: program, args: [] }),
    managed: false,
    source: releaseSource({ releaseUrl: `${url}/releases`, command: [install, "get", "{version}"] }, env),
    restart: () => (state.restarts += 1) > 0,
    ...change,
  };
  const updates = new Updates(parts);
  const reports: string[] = [];
  const ask = (targetVersion: string): Promise<void> => {
    const report: UpdateAction["report"] = (result) => Promise.resolve(reports.push(`${result.status}: ${result.error ?? result.output ?? ""}`) > 0);
    return updates.requested({ runtimeId: "r", id: "u", targetVersion, report });
  };
  const installed = (): string => (existsSync(join(dir, "installed")) ? readFileSync(join(dir, "installed"), "utf8") : "");
  return { parts, updates, barrier, state, reports, ask, installed, lines, releases, clock, root, script, dir };
}

describe("an update that the server asks for", () => {
  it("is installed while nothing runs, reported, and followed by a restart with the barrier held", async () => {
    const { ask, reports, installed, state, barrier } = await machine();
    await ask("v1.3.0");
    expect([reports, installed(), state.restarts, barrier.paused]).toEqual([["running: ", "completed: Updated to v1.3.0"], "get 1.3.0\n", 1, true]);
  });

  it("is deferred while a task runs or a claim brings one; claims go on (U-1, U-2)", async () => {
    const { ask, reports, installed, barrier, clock, state } = await machine();
    barrier.taskStarted();
    await ask("1.3.0");
    expect([reports.splice(0), barrier.paused]).toEqual([[expect.stringContaining("failed: update deferred")], false]);
    barrier.taskEnded();
    barrier.tryEnterClaim();
    const asked = ask("1.3.0");
    expect([barrier.paused, barrier.tryEnterClaim()]).toEqual([true, false]);
    barrier.taskStarted();
    barrier.exitClaim();
    await clock.advance(20);
    await asked;
    expect([reports.splice(0), barrier.paused, state.woken > 0, installed()]).toEqual([[expect.stringContaining("deferred")], false, true, ""]);
    barrier.taskEnded();
    barrier.tryEnterClaim();
    const again = ask("1.3.0");
    barrier.exitClaim();
    await clock.advance(20);
    await again;
    expect([reports.at(-1), installed()]).toEqual(["completed: Updated to v1.3.0".replace("v", ""), "get 1.3.0\n"]);
  });

  it("runs once when two are asked for at once (U-3)", async () => {
    const { ask, reports, installed } = await machine();
    await Promise.all([ask("1.3.0"), ask("1.3.0")]);
    expect([reports.filter((line) => line.startsWith("failed: another update")).length, installed()]).toEqual([1, "get 1.3.0\n"]);
  });

  it("is refused where somebody else updates, where there is no source, and for a version the source does not know (U-4)", async () => {
    const managed = await machine({ managed: true });
    await managed.ask("1.3.0");
    const alone = await machine({ source: null });
    await alone.ask("1.3.0");
    const { ask, reports, installed, barrier } = await machine();
    await ask("9.9.9");
    expect([managed.reports[0], alone.reports[0], reports.at(-1)]).toEqual([
      expect.stringContaining("desktop app"), expect.stringContaining("no release source"), expect.stringContaining("knows no version 9.9.9 (its latest is 1.3.0)"),
    ]);
    expect([managed.installed(), installed(), barrier.paused]).toEqual(["", "", false]);
  });

  it("that fails, or cannot be followed by a restart, lets claims go on (U-5, U-13)", async () => {
    const failing = await machine({ command: "echo 'no space' >&2; exit 3" });
    await failing.ask("1.3.0");
    expect([failing.reports.at(-1), failing.barrier.paused, failing.state.restarts]).toEqual(["failed: the update command ended with 3: no space", false, 0]);
    const stuck = await machine({ restart: () => false });
    await stuck.ask("1.3.0");
    expect([stuck.reports.at(-1), stuck.barrier.paused, stuck.lines.at(-1)?.level]).toEqual(["completed: Updated to 1.3.0", false, "error"]);
    await stuck.ask("1.2.0");
    expect(stuck.reports.at(-1)).toBe("completed: Updated to 1.2.0");
  });
});

describe("looking for newer releases", () => {
  it("moves to a newer one while nothing runs, and to nothing else (U-7)", async () => {
    const { updates, installed, releases, barrier, state } = await machine();
    for (const version of ["1.2.0", "1.1.9", "latest", "1.3.0-beta"]) {
      releases.version = version;
      await updates.checkRelease();
    }
    releases.version = "1.3.0";
    barrier.taskStarted();
    await updates.checkRelease();
    expect([installed(), state.restarts]).toEqual(["", 0]);
    barrier.taskEnded();
    await updates.checkRelease();
    expect([installed(), state.restarts, barrier.paused]).toEqual(["get 1.3.0\n", 1, true]);
  });

  it("is off for a build that is no release; looking at the disk is not (U-6)", async () => {
    const { parts, updates, clock, root, lines } = await machine({ version: "1.2.0-dev" });
    const settings = { automatic: true, intervalMs: 1000, reload: true, releaseUrl: "x", command: [] };
    let looked = 0;
    const loops = [
      runAutoUpdate({ ...parts, settings, updates }),
      runSelfReload({ ...parts, settings, updates: { checkRelease: () => Promise.resolve(), checkReload: () => Promise.resolve(void (looked += 1)) } }),
    ];
    await waitFor("the loop", () => clock.pending > 0);
    await clock.advance(2 * 60_000);
    await waitFor("the look", () => looked === 1);
    root.abort();
    await Promise.all(loops);
    expect(lines.map((line) => `${line.msg} ${String(line["why"])}`)).toEqual(["auto-update: off 1.2.0-dev is not a release"]);
    expect([isNewer("1.3.0", "1.2.0-dev"), isNewer("v2.0.0", "1.9.9"), isNewer("1.10.0", "1.9.0")]).toEqual([false, true, true]);
  });
});

describe("a program that was replaced on disk", () => {
  it("is started anew, newer or older, when nothing runs; until then the reason shows (U-9, U-10, U-11)", async () => {
    const { updates, barrier, state, script } = await machine({ program: 'echo "multica 1.1.0 (commit: x, built: y)"' });
    barrier.taskStarted();
    await updates.checkReload();
    expect([updates.pendingReason, state.restarts]).toEqual(["the program on disk is version 1.1.0", 0]);
    script("program", 'echo "multica 1.2.0 (commit: x, built: y)"');
    await updates.checkReload();
    expect(updates.pendingReason).toBe("");
    script("program", 'echo "multica 1.4.0 (commit: x, built: y)"');
    barrier.taskEnded();
    await updates.checkReload();
    await updates.checkReload();
    expect([state.restarts, barrier.paused]).toEqual([1, true]);
  });

  it("is never taken for another one when it does not say its version (U-8)", async () => {
    for (const program of ["exit 1", "true", "echo broken", 'echo "multica 9.9.9 (x)"; exit 2']) {
      const { updates, state, barrier } = await machine({ program });
      await updates.checkReload();
      expect([program, updates.pendingReason, state.restarts, barrier.paused]).toEqual([program, "", 0, false]);
    }
  });
});

describe("what a successor is started from", () => {
  it("is the running program, the link of a Homebrew prefix, or nothing", () => {
    const dir = tempDir();
    const script = join(dir, "run.js");
    writeFileSync(script, "");
    expect(restartTarget({ node: process.execPath, script })).toEqual({ command: process.execPath, args: [script] });
    expect(restartTarget({ node: process.execPath, script: join(dir, "gone.js") })).toBeNull();
    expect(restartTarget({ node: process.execPath, script: join(dir, "Cellar", "multica", "1.0.0", "run.js") })).toBeNull();
  });
});

import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { earlyDeath } from "../../../src/lib/daemon/control/early-death.ts";
import { forwardedFlags } from "../../../src/lib/daemon/control/flags.ts";
import { readLog } from "../../../src/lib/daemon/control/logs.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { tempDir } from "../../support/temp.ts";

describe("forwarded flags", () => {
  it("are exactly those that were given", () => {
    expect(forwardedFlags({}, { profile: "" })).toEqual([]);
    const flags = { serverUrl: "http://x", agentTimeout: "0", port: 0, maxConcurrentTasks: 3, deviceName: " ", pollInterval: "5s" };
    expect(forwardedFlags(flags, { profile: "p", noState: true })).toEqual(
      ["--server-url", "http://x", "--poll-interval", "5s", "--agent-timeout", "0", "--max-concurrent-tasks", "3", "--port", "0", "--no-state", "--profile", "p"],
    );
    expect(forwardedFlags({ maxConcurrentTasks: 0 }, { profile: "" })).toEqual([]);
  });
});

describe("the report of an early death", () => {
  const report = (lines: { log?: string; crash?: string; oldLog?: string; oldCrash?: string }, code: number | null = 1): ReturnType<typeof earlyDeath> => {
    const dir = tempDir();
    const mark = (name: string, old = "", added = ""): { path: string; offset: number } => {
      const path = join(dir, name);
      writeFileSync(path, old + added);
      return { path, offset: Buffer.byteLength(old) };
    };
    return earlyDeath({
      log: mark("daemon.log", lines.oldLog, lines.log),
      crashLog: mark("daemon.err.log", lines.oldCrash, lines.crash),
      exit: { code, signal: code === null ? "SIGKILL" : null },
      profile: "p",
      serverUrl: "http://127.0.0.1:1",
    });
  };

  it("knows a rejected token and an unreachable server, without raw lines", () => {
    const rejected = report({ crash: "GET /x returned 401: {}\n" });
    expect(rejected).toMatchObject({ exit: 3, suggestions: ["Run multica --profile p login."] });
    expect(rejected.message).not.toContain("401");
    const away = report({ log: '{"level":"error","msg":"x","error":"connect ECONNREFUSED 127.0.0.1:1"}\n' });
    expect(away).toMatchObject({ exit: 6, message: expect.stringContaining("http://127.0.0.1:1") });
  });

  it("shows what this attempt said above info, at most five lines a log, and keeps the status", () => {
    const log = ["debug", "info", "warn", "error"].map((level) => JSON.stringify({ level, msg: `${level} line` })).join("\n");
    const crash = Array.from({ length: 9 }, (_, index) => `crash ${index}`).join("\n");
    const error = report({ log, crash, oldLog: "returned 401\n", oldCrash: "ECONNREFUSED\n" }, 7);
    expect(error.exit).toBe(7);
    expect(error.message).toBe("the daemon did not start (exit status 7): crash 8");
    expect(error.suggestions.slice(0, -1)).toEqual(["warn line", "error line", "crash 4", "crash 5", "crash 6", "crash 7"]);
    expect(error.suggestions.at(-1)).toMatch(/^Logs: /);
  });

  it("puts the child's own error first, once, with its next step behind it", () => {
    const log = JSON.stringify({ level: "error", msg: "the port is taken" });
    const error = report({ log, crash: "(node:1) Warning: old\nError: the port is taken\nChoose another with --port.\n" }, 7);
    expect(error.message).toBe("the daemon did not start (exit status 7): the port is taken");
    expect(error.suggestions.slice(0, -1)).toEqual(["(node:1) Warning: old", "Choose another with --port."]);
  });

  it("is a failure also when the child ended with 0 or by a signal, and hides secrets", () => {
    expect(report({}, 0).exit).toBe(1);
    expect(report({}, null).message).toContain("signal SIGKILL");
    expect(report({ crash: "token mul_0123456789abcdef0123456789abcdef01234567 leaked\n" }).message).not.toContain("0123456789abcdef0123");
  });
});

describe("reading the log", () => {
  const collect = async (path: string, lines: number): Promise<string[]> =>
    Array.fromAsync(readLog({ path, lines, follow: false, clock: new HeldClock(), signal: new AbortController().signal }));

  it("gives the last lines, also of a large file", async () => {
    const path = join(tempDir(), "daemon.log");
    writeFileSync(path, Array.from({ length: 20_000 }, (_, index) => `line ${index} ü`).join("\n") + "\n");
    expect(await collect(path, 2)).toEqual(["line 19998 ü", "line 19999 ü"]);
    expect(await collect(path, 0)).toEqual([]);
    expect(await collect(path, 30_000)).toHaveLength(20_000);
  });

  it("names a log that is not there", async () => {
    await expect(collect("/nowhere/daemon.log", 5)).rejects.toMatchObject({ code: "log_missing", exit: 4, message: expect.stringContaining("/nowhere/daemon.log") });
  });

  it("follows new lines through rotation and shrinking, whole lines only", async () => {
    const path = join(tempDir(), "daemon.log");
    writeFileSync(path, "old\n");
    const clock = new HeldClock();
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const line of readLog({ path, lines: 1, follow: true, clock, signal: stop.signal })) seen.push(line);
    })();
    await clock.advance(0);
    appendFileSync(path, "one\ntw");
    await clock.advance(500);
    appendFileSync(path, "o\n");
    await clock.advance(500);
    renameSync(path, `${path}.1`);
    writeFileSync(path, "new file\n");
    await clock.advance(500);
    writeFileSync(path, "x\n");
    await clock.advance(500);
    stop.abort();
    await reading;
    expect(seen).toEqual(["old", "one", "two", "new file", "x"]);
  });
});

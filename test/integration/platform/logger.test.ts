import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createLogger } from "../../../src/lib/platform/logger.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const lines = (path: string): Record<string, unknown>[] =>
  readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);

describe("createLogger", () => {
  it("writes one private JSON object a line, with the fields of its parents", () => {
    const path = join(tempDir(), "daemon.log");
    const log = createLogger({ file: path, base: { component: "daemon" } });
    log.child({ task: "t1" }).warn("slow", { ms: 5, gone: undefined, error: new Error("a", { cause: new Error("b") }) });
    log.debug("not asked for");
    log.close();
    log.info("after the end");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(lines(path).at(-1)).toMatchObject({ level: "warn", component: "daemon", task: "t1", msg: "slow", ms: 5, error: "a: b" });
    expect(lines(path).every((line) => !Number.isNaN(Date.parse(String(line["time"]))))).toBe(true);
  });

  it("tells no secrets, wherever they stand", () => {
    const path = join(tempDir(), "daemon.log");
    const secret = `${"mat_"}0123456789abcdef0123`;
    const log = createLogger({ file: path, base: { token: secret } });
    log.info(`with ${secret}`, { nested: { list: [secret] }, error: new Error(secret) });
    log.child({ header: `Bearer ${secret}` }).error("x");
    log.close();
    expect(readFileSync(path, "utf8")).not.toContain(secret);
  });

  it("has every line on disk when the process is killed right after it", () => {
    const dir = tempDir();
    const module = join(import.meta.dirname, "../../../src/lib/platform/logger.ts");
    const code = `import { createLogger } from ${JSON.stringify(module)};
      const log = createLogger({ file: "x.log" });
      for (let i = 0; i < 500; i += 1) log.info("line", { i });
      process.kill(process.pid, "SIGKILL");`;
    expect(spawnSync(process.execPath, ["--input-type=module-typescript", "-e", code], { cwd: dir }).signal).toBe("SIGKILL");
    expect(lines(join(dir, "x.log")).filter((line) => line["msg"] === "line").map((line) => line["i"])).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  it("turns over at its size, packs what was written, and keeps so many (daemon.md 2.9, L-9)", async () => {
    const dir = tempDir();
    const log = createLogger({ file: join(dir, "x.log"), maxBytes: 500, keep: 2 });
    for (let i = 0; i < 40; i += 1) log.info("a line of some length", { i });
    const archives = (): string[] => readdirSync(dir).filter((name) => name !== "x.log").sort();
    await waitFor("both archives to be packed", () => archives().length === 2 && archives().every((name) => /^x-\d{4}-\d\d-\d\dT[\d.-]+\.log\.gz$/.test(name)));
    log.close();
    const packed = archives().flatMap((name) => gunzipSync(readFileSync(join(dir, name))).toString().trim().split("\n").map((line) => (JSON.parse(line) as { i: number }).i));
    const all = [...packed, ...lines(join(dir, "x.log")).map((line) => line["i"])];
    expect(all.at(-1)).toBe(39);
    expect(all).toEqual(Array.from({ length: all.length }, (_, index) => 40 - all.length + index));
  });

  it("packs at its start what a crash left, and drops what is too old; other files stay", async () => {
    const dir = tempDir();
    const put = (name: string, days: number): void => {
      writeFileSync(join(dir, name), "{}\n");
      utimesSync(join(dir, name), Date.now() / 1000 - days * 86_400, Date.now() / 1000 - days * 86_400);
    };
    put("x-2026-01-01T00-00-00.000.log", 40);
    put("x-2026-02-01T00-00-00.000.log", 1);
    for (const other of ["x-notes.log", "xy-2026-01-01T00-00-00.000.log", "x-2026-01-01T00-00-00.000.txt"]) put(other, 40);
    const log = createLogger({ file: join(dir, "x.log") });
    await waitFor("the archive to be packed", () => existsSync(join(dir, "x-2026-02-01T00-00-00.000.log.gz")) && !existsSync(join(dir, "x-2026-02-01T00-00-00.000.log")));
    log.close();
    expect(readdirSync(dir).sort()).toEqual(["x-2026-01-01T00-00-00.000.txt", "x-2026-02-01T00-00-00.000.log.gz", "x-notes.log", "x.log", "xy-2026-01-01T00-00-00.000.log"]);
  });

  it("fails at the start when its file can never be written", () => {
    expect(() => createLogger({ file: join(tempDir(), "no", "x.log") })).toThrow(expect.objectContaining({ code: "log_unwritable", exit: 1 }) as Error);
    if (existsSync("/dev/full")) expect(() => createLogger({ file: "/dev/full" })).toThrow(expect.objectContaining({ code: "log_unwritable" }) as Error);
  });
});

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { onTestFinished } from "vitest";
import { type ExecEnd, type ExecJournal, type ExecParts, type ExecService, type ExecStart, createExecService } from "../../src/lib/exec/index.ts";
import { sha256Hex } from "../../src/lib/core/index.ts";
import { findByEnv, processEnv, sendSignal, systemClock } from "../../src/lib/platform/index.ts";
import { silentLogger } from "./exec-logger.ts";
import { tempDir } from "./temp.ts";

const ROOT = join(import.meta.dirname, "..", "..");
let built: string | undefined;

/** The host as users have it: one bundled file, from the sources as they are. */
export function hostEntry(): string {
  if (built !== undefined) return built;
  const entryPoints = [join(ROOT, "src", "lib", "exec", "host", "main.ts")];
  const { outputFiles } = buildSync({ entryPoints, write: false, bundle: true, platform: "node", format: "esm", target: "node22.13", external: ["@lydell/node-pty"] });
  const text = outputFiles[0]?.text ?? "";
  // Inside the repository, so that the terminal library is found; one directory for each content, so that it is reused.
  const dir = join(ROOT, ".cache", "exec-host", sha256Hex(text).slice(0, 12));
  mkdirSync(dir, { recursive: true });
  const path = join(dir, "main.mjs");
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, text);
  renameSync(fresh, path);
  return (built = path);
}

export interface ExecWorld {
  readonly stateDir: string;
  readonly service: ExecService;
  readonly ends: ExecEnd[];
  /** Another service over the same hosts: a daemon that starts later. */
  next(overrides?: Partial<ExecParts>): ExecService;
  /** What a process of that xid left alive. */
  strays(xid: string): number[];
}

let epoch = 0;

/** A service of its own in a temporary directory. When the test ends, nothing that it started lives. */
export function execWorld(overrides: Partial<ExecParts> = {}): ExecWorld {
  const stateDir = overrides.stateDir ?? tempDir("mx-");
  const services: ExecService[] = [];
  const make = (more: Partial<ExecParts> = {}): ExecService => {
    const parts: ExecParts = {
      ...{ stateDir, instanceId: "test", epoch: (epoch += 1), journal: null, clock: systemClock, logger: silentLogger, env: processEnv(), hostEntry: hostEntry() },
      ...overrides,
      ...more,
      bounds: { graceMs: 500, ...overrides.bounds, ...more.bounds },
    };
    const service = createExecService(parts);
    services.push(service);
    return service;
  };
  const service = make();
  const ends: ExecEnd[] = [];
  service.onEnd((end) => ends.push(end));
  onTestFinished(async () => {
    const xids = new Set(services.flatMap((one) => one.list().map((record) => record.dir.split("/").at(-1) ?? "")));
    for (const one of services.reverse()) await one.shutdown("terminate");
    for (const xid of xids) for (const entry of findByEnv("MULTICA_EXEC_XID", xid)) sendSignal(entry.pid, "SIGKILL");
  });
  return { stateDir, service, ends, next: make, strays: (xid) => findByEnv("MULTICA_EXEC_XID", xid).map((entry) => entry.pid) };
}

/** A journal in memory that outlives a service, as the database does. */
export function memoryJournal(): ExecJournal {
  const rows = new Map<string, ReturnType<ExecJournal["list"]>[number]>();
  const update: ExecJournal["update"] = (xid, patch) => {
    const row = rows.get(xid);
    if (row !== undefined) rows.set(xid, { ...row, ...patch });
  };
  return {
    insert: (row) => void rows.set(row.xid, row),
    update,
    updateAll: (patches) => patches.forEach(({ xid, patch }) => update(xid, patch)),
    remove: (xid) => void rows.delete(xid),
    list: () => [...rows.values()],
  };
}

export const OPERATOR = "op:default";

/** A command of an operator with a small environment. */
export function command(argv: readonly string[], more: Partial<ExecStart> = {}): ExecStart {
  const env = { PATH: processEnv()["PATH"] ?? "/usr/bin:/bin", HOME: "/tmp", LANG: "C.UTF-8" };
  return { threadId: OPERATOR, owner: { kind: "operator" }, argv, cwd: "/tmp", env, ...more };
}

/** A shell script as a command. */
export function shell(script: string, more: Partial<ExecStart> = {}): ExecStart {
  return command(["sh", "-c", script], more);
}

export function xidOf(record: { readonly dir: string }): string {
  return record.dir.split("/").at(-1) ?? "";
}

import { join } from "node:path";
import { isObject, parseJson, randomHex } from "../core/index.ts";
import { ensureDir, readTextIfExistsNow, removeFile, writeFileAtomic } from "../platform/index.ts";

/** Where a daemon keeps what others look for, all inside its state directory (daemon.md 2.1). */
export interface DaemonPaths {
  readonly stateDir: string;
  readonly pid: string;
  readonly token: string;
  /** Where it listens (decision 7). */
  readonly info: string;
  readonly log: string;
  /** Output before the log exists, and of crashes. */
  readonly crashLog: string;
  readonly launcherDir: string;
}

export function daemonPaths(stateDir: string): DaemonPaths {
  return {
    stateDir,
    pid: join(stateDir, "daemon.pid"),
    token: join(stateDir, "daemon.token"),
    info: join(stateDir, "daemon.json"),
    log: join(stateDir, "daemon.log"),
    crashLog: join(stateDir, "daemon.err.log"),
    launcherDir: join(stateDir, "bin"),
  };
}

/** What `daemon.json` says: every client reads it before it assumes the profile's port. */
export interface DaemonInfo {
  readonly pid: number;
  readonly port: number;
  readonly started_at: string;
  readonly version: string;
}

/** The published place of a daemon, or undefined when there is none or the file makes no sense. */
export function readDaemonInfo(stateDir: string): DaemonInfo | undefined {
  const value = readJson(daemonPaths(stateDir).info);
  if (!isObject(value)) return undefined;
  const { pid, port, started_at: startedAt, version } = value;
  if (!isPositive(pid) || !isPositive(port)) return undefined;
  return {
    pid,
    port,
    started_at: typeof startedAt === "string" ? startedAt : "",
    version: typeof version === "string" ? version : "",
  };
}

/** The operator token of a running daemon, or undefined when it cannot be read. */
export function readOperatorToken(stateDir: string): string | undefined {
  try {
    const text = readTextIfExistsNow(daemonPaths(stateDir).token)?.trim() ?? "";
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}

/** The pid file's number: informational only, never a target of a signal. */
export function readPid(stateDir: string): number | undefined {
  const pid = Number.parseInt(readTextIfExistsNow(daemonPaths(stateDir).pid) ?? "", 10);
  return isPositive(pid) ? pid : undefined;
}

export async function writePid(stateDir: string, pid: number): Promise<void> {
  await writeFileAtomic(daemonPaths(stateDir).pid, String(pid), { mode: 0o644 });
}

/** Writes the pid and a new operator token; answers the token. The port must be bound already and answer nobody yet. */
export async function claimFiles(stateDir: string, pid: number): Promise<string> {
  const token = randomHex(32);
  await ensureDir(stateDir);
  await writePid(stateDir, pid);
  await writeFileAtomic(daemonPaths(stateDir).token, `${token}\n`, { mode: 0o600 });
  return token;
}

/** Publishes where the daemon answers: whoever reads this gets an answer there. */
export async function publishPlace(stateDir: string, info: DaemonInfo): Promise<void> {
  await writeFileAtomic(daemonPaths(stateDir).info, `${JSON.stringify(info)}\n`, { mode: 0o644 });
}

/** Removes all of these files as far as they are still ours: a successor's files stay. */
export async function unpublishDaemon(stateDir: string, pid: number, token: string): Promise<void> {
  const paths = daemonPaths(stateDir);
  if (readOperatorToken(stateDir) === token) await removeFile(paths.token);
  if (readDaemonInfo(stateDir)?.pid === pid) await removeFile(paths.info);
  if (readPid(stateDir) === pid) await removeFile(paths.pid);
}

function isPositive(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0;
}

function readJson(path: string): unknown {
  try {
    return parseJson(readTextIfExistsNow(path) ?? "");
  } catch {
    return undefined;
  }
}

import { readFile } from "node:fs/promises";
import { EXIT, MulticaError } from "../core/index.ts";
import { type Clock, type Env, ensureDir, openBackgroundLog, selfCommand, spawnBackground } from "../platform/index.ts";
import { createLogger } from "../platform/logger.ts";
import { type ServerInfo, readServerInfo } from "./info.ts";
import { serverPaths } from "./paths.ts";

export interface LaunchOptions {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly env: Env;
  /** Program that runs the server in the foreground; `multica server start --foreground` unless given. */
  readonly command?: { readonly command: string; readonly args: readonly string[] };
  readonly timeoutMs?: number;
}

const READY_MS = 15_000;
const OUTPUT_ROLL_BYTES = 1 << 20;

/**
 * Spawns the server process and waits until it has published its address and answers there.
 * Throws `server_start_failed` with the process's own last words and its exit code.
 */
export async function launch(options: LaunchOptions, answers: (url: string) => Promise<boolean>): Promise<ServerInfo> {
  const paths = serverPaths(options.dataDir);
  await ensureDir(options.dataDir, 0o700);
  // A log that cannot be written is found here, where there is still somebody to tell.
  createLogger({ file: paths.log, base: { component: "server" } }).close();
  const { command, args } = options.command ?? foregroundCommand(options);
  const output = openBackgroundLog(paths.output, OUTPUT_ROLL_BYTES);
  let child: Awaited<ReturnType<typeof spawnBackground>>;
  try {
    child = await spawnBackground({ command, args, cwd: options.dataDir, env: options.env, outputFd: output.fd });
  } finally {
    output.close();
  }
  let ended: { code: number | null } | undefined;
  void child.exited.then((facts) => {
    ended = facts;
  });
  const limit = options.clock.monotonic() + (options.timeoutMs ?? READY_MS);
  for (;;) {
    const info = await readServerInfo(paths);
    if (info?.pid === child.pid && (await answers(info.url))) return info;
    if (ended !== undefined) throw await startError(options, output.offset, "the server did not start", ended.code);
    if (options.clock.monotonic() > limit) throw await startError(options, output.offset, "the server did not answer in time", null);
    await options.clock.sleep(25);
  }
}

function foregroundCommand(options: LaunchOptions): { command: string; args: string[] } {
  const self = selfCommand();
  const { dataDir, host, port } = options;
  return {
    command: self.node,
    args: [self.script, "server", "start", "--foreground", "--data-dir", dataDir, "--host", host, "--port", String(port)],
  };
}

async function startError(options: LaunchOptions, offset: number, what: string, code: number | null): Promise<MulticaError> {
  const paths = serverPaths(options.dataDir);
  const said = (await readFile(paths.output)).subarray(offset).toString("utf8").split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const at = said.findIndex((line) => /error/i.test(line));
  const reason = said[at] ?? said.at(-1);
  // What the child itself says behind its error is the next step.
  const next = at === -1 ? [] : said.slice(at + 1, at + 3).filter((line) => !/^at |^See multica /.test(line));
  return new MulticaError("server_start_failed", reason === undefined ? what : `${what}: ${reason.replace(/^›?\s*Error:\s*/i, "")}`, {
    exit: code === null || code === 0 ? EXIT.failed : code,
    suggestions: [...next, `The log is ${paths.log}.`],
  });
}

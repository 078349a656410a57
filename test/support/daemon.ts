import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { UserApi } from "../../src/lib/api/index.ts";
import { createHttp } from "../../src/lib/api/ky-http.ts";
import { createUserApi } from "../../src/lib/api/user-api.ts";
import { type DaemonConfig, resolveDaemonConfig } from "../../src/lib/config/index.ts";
import { readDaemonInfo, readOperatorToken } from "../../src/lib/daemon/files.ts";
import { type RunDaemonOptions, runDaemon } from "../../src/lib/daemon/main.ts";
import { systemClock } from "../../src/lib/platform/index.ts";
import { silentLogger } from "../../src/lib/platform/logger.ts";
import { type RunningServer, mintToken, startServer } from "../../src/lib/server/index.ts";
import type { Health } from "../../src/lib/wire/index.ts";
import { atEnd } from "./at-end.ts";
import { compiledEnv } from "./compiled.ts";
import { tempDir } from "./temp.ts";
import { waitFor } from "./wait.ts";

export interface TestServer {
  readonly running: RunningServer;
  readonly url: string;
  readonly token: string;
  readonly workspaceId: string;
  readonly api: UserApi;
}

/** An embedded server on real sockets with a token for its local user; stopped when the test ends. */
export async function testServer(): Promise<TestServer> {
  const dataDir = join(tempDir(), "server");
  const running = await startServer({ dataDir, host: "127.0.0.1", port: 0, clock: systemClock, logger: silentLogger });
  atEnd(() => running.stop());
  const { token } = await mintToken({ dataDir, name: "test", clock: systemClock });
  const http = { serverUrl: running.url, token, platform: "cli" as const, clientVersion: "0.4.24", os: "linux" };
  const workspaceId = (await createUserApi(createHttp(http)).workspaces())[0]?.id ?? "";
  return { running, url: running.url, token, workspaceId, api: createUserApi(createHttp({ ...http, workspaceId })) };
}

/** A directory with executables that answer `--version`; goes in front of PATH. */
export function fakeAgents(dir: string, versions: Readonly<Record<string, string>>): string {
  const bin = join(dir, "agents-bin");
  mkdirSync(bin, { recursive: true });
  for (const [name, version] of Object.entries(versions)) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} ${version}"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

export interface TestHome {
  readonly home: string;
  readonly env: Record<string, string>;
  /** Directory in front of PATH. */
  readonly bin: string;
}

/** A home of its own with the given agents on PATH. */
export function testHome(agents: Readonly<Record<string, string>> = { codex: "0.130.0" }): TestHome {
  const home = tempDir();
  const bin = fakeAgents(home, agents);
  return { home, bin, env: { HOME: home, MULTICA_HOME: join(home, ".multica"), PATH: `${bin}:/usr/bin:/bin`, LANG: "C.UTF-8", ...compiledEnv() } };
}

export function configFor(home: TestHome, server: { readonly url: string; readonly token: string }, profile = "", changes: Partial<DaemonConfig> = {}): DaemonConfig {
  const stateDir = profile === "" ? join(home.home, ".multica") : join(home.home, ".multica", "profiles", profile);
  mkdirSync(stateDir, { recursive: true });
  const settings = { token: server.token, server_url: server.url };
  writeFileSync(join(stateDir, "config.json"), JSON.stringify(settings));
  const config = resolveDaemonConfig({ flags: { port: 0 }, env: home.env, settings, profile, stateDir, home: home.home });
  return { ...config, ...changes };
}

export interface RunningDaemon {
  readonly port: number;
  readonly stateDir: string;
  health(): Promise<Health>;
  operatorToken(): string;
  /** Asks for the orderly shutdown and waits for it. */
  stop(): Promise<void>;
  /** Settles when the daemon has ended. */
  readonly done: Promise<void>;
}

/** A daemon inside the test process, ready; stopped when the test ends. Tasks end at once unless `runTask` says otherwise. */
export async function testDaemon(home: TestHome, config: DaemonConfig, options: Partial<RunDaemonOptions> = {}): Promise<RunningDaemon> {
  const stop = new AbortController();
  const ready = Promise.withResolvers<number>();
  const done = runDaemon({
    config,
    env: home.env,
    home: home.home,
    version: "9.9.9",
    signal: stop.signal,
    noState: true,
    runTask: () => Promise.resolve(),
    onReady: ({ port }) => ready.resolve(port),
    ...options,
  });
  done.catch(() => undefined);
  atEnd(async () => {
    stop.abort();
    await done.catch(() => undefined);
  });
  await Promise.race([ready.promise, done]);
  const port = await ready.promise;
  return {
    port,
    stateDir: config.stateDir,
    done,
    health: async () => (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as Health,
    operatorToken: () => readOperatorToken(config.stateDir) ?? "",
    stop: async () => {
      stop.abort();
      await done;
    },
  };
}

/** The daemon's published place, once it is there. */
export function publishedPlace(stateDir: string): Promise<{ pid: number; port: number }> {
  return waitFor("daemon.json", () => readDaemonInfo(stateDir));
}

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { spawn } from "node:child_process";
import { describe, expect, it, onTestFinished } from "vitest";
import { isMulticaError } from "../../../src/lib/core/index.ts";
import { type Clock, findByEnv, sendSignal, systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { createRepoCache } from "../../../src/lib/repos/index.ts";
import { gatedSsh } from "../../support/gated-ssh.ts";
import { makeRemote } from "../../support/git.ts";
import { waitFor } from "../../support/wait.ts";
import { TASK_B, harness } from "./harness.ts";

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A git daemon on loopback that serves everything below a directory. */
async function gitDaemon(base: string, env: Record<string, string>): Promise<number> {
  const probe = createServer();
  const port = await listening(probe);
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  const child = spawn("git", ["daemon", "--export-all", "--reuseaddr", `--base-path=${base}`, "--listen=127.0.0.1", `--port=${port}`], { env, stdio: "ignore", detached: true });
  onTestFinished(() => void sendSignal(-(child.pid ?? 0), "SIGKILL"));
  await waitFor("the git daemon", () => new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => (socket.destroy(), resolve(true)));
    socket.on("error", () => resolve(false));
  }));
  return port;
}

const nothingLeft = (bare: string): void => {
  expect(existsSync(bare)).toBe(false);
  if (existsSync(dirname(bare))) expect(readdirSync(dirname(bare)).filter((name) => name.includes(".tmp-"))).toEqual([]);
};

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => expect.fail("it should have failed"), (reason: unknown) => reason);
  return isMulticaError(error) ? `${error.code}: ${error.message} ${error.suggestions.join(" ")}` : String(error);
}

describe("a remote that", () => {
  it("refuses the connection is named, without its password", async () => {
    const { cache, git, dir } = harness();
    makeRemote(git, dir("served", "api"));
    const closed = createServer();
    const port = await listening(closed);
    await new Promise<void>((resolve) => closed.close(() => resolve()));
    const url = `http://user:hunter22@127.0.0.1:${port}/api`;
    const text = await failure(cache.ensure("ws", url));
    expect(text).toContain(`127.0.0.1:${port}`);
    expect(text).toContain("check its address and the network");
    expect(text).not.toContain("hunter22");
    nothingLeft(cache.cachePath("ws", url));
  });

  it("is unknown is named", async () => {
    const { cache, git, dir } = harness();
    const port = await gitDaemon(dir("served"), git.env);
    const url = `git://127.0.0.1:${port}/nowhere`;
    expect(await failure(cache.ensure("ws", url))).toMatch(/git_failed: git clone --bare: .*nowhere|access denied|not exported/s);
    nothingLeft(cache.cachePath("ws", url));
    makeRemote(git, dir("served", "nowhere"));
    expect((await cache.ensure("ws", url)).cloned).toBe(true);
  });

  it("needs a password does not hang and tells what to do", async () => {
    const { cache } = harness();
    const server = createHttp((_request, response) => response.writeHead(401, { "WWW-Authenticate": 'Basic realm="git"' }).end("no"));
    const port = await listening(server);
    const url = `http://127.0.0.1:${port}/api.git`;
    const text = await failure(cache.ensure("ws", url));
    expect(text).toContain("could not read Username");
    expect(text).toContain("git ls-remote");
    nothingLeft(cache.cachePath("ws", url));
  });

  it("hangs ends with the cache, and its process tree with it", async () => {
    const { cache } = harness();
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket.on("error", () => undefined)));
    const port = await listening(server);
    const url = `git://127.0.0.1:${port}/api`;
    const pending = failure(cache.ensure("ws", url));
    await waitFor("the connection", () => sockets.length > 0);
    await cache.close();
    expect(await pending).toContain("closing");
    for (const socket of sockets) socket.destroy();
    nothingLeft(cache.cachePath("ws", url));
  });

  it("hangs is named when the time is over, with what to do; the next try succeeds", async () => {
    const { git, dir, root, request } = harness();
    const ssh = gatedSsh(dir("ssh"));
    const remote = makeRemote(git, dir("remotes", "api"));
    // Ten minutes, and the minute for a look at the remote, pass in no time.
    const hasty: Clock = { ...systemClock, setTimer: (ms, fn) => systemClock.setTimer(ms >= 60_000 ? 300 : ms, fn) };
    const env = { ...git.env, ...ssh.env };
    const cache = createRepoCache({ root, clock: hasty, logger: silentLogger, env });
    const patient = createRepoCache({ root, clock: systemClock, logger: silentLogger, env });
    onTestFinished(() => Promise.all([cache.close(), patient.close()]).then(() => undefined));
    const url = `ssh://user:hunter22@host${remote}`;
    const text = await failure(cache.ensure("ws", url));
    expect(text).toMatch(/git_timeout: git command timed out after 10m0s \(remote: ssh:\/\/\*\*\*@host.*does not answer in time.*git ls-remote/s);
    expect(text).not.toContain("hunter22");
    nothingLeft(cache.cachePath("ws", url));
    expect(findByEnv("MULTICA_REPO_CACHE", cache.cachePath("ws", url))).toEqual([]);
    ssh.open();
    expect((await patient.ensure("ws", url)).cloned).toBe(true);
    ssh.close();
    const result = await cache.checkout(request(url));
    expect(result.stale).toBe(true);
    expect(result.warnings.join()).toContain("timed out after 1m0s");
    expect(existsSync(join(result.path, "README.md"))).toBe(true);
  });

  it("disappears half way leaves no half cache, and a cached state can still be worked with", async () => {
    const { cache, git, dir, request } = harness();
    const files: Record<string, string> = {};
    for (let at = 0; at < 300; at += 1) files[`f${at}.txt`] = Array.from({ length: 200 }, (_, line) => `${at * 7919 + line * 104_729}`).join("\n");
    makeRemote(git, dir("served", "api"), "main", files);
    const port = await gitDaemon(dir("served"), git.env);
    const state = { cutAfter: 20_000 };
    const proxy = createServer((client) => {
      const upstream = connect(port, "127.0.0.1");
      let passed = 0;
      upstream.on("data", (chunk: Buffer) => {
        passed += chunk.length;
        if (passed > state.cutAfter) (client.destroy(), upstream.destroy());
        else client.write(chunk);
      });
      client.on("data", (chunk) => upstream.write(chunk));
      for (const [one, other] of [[client, upstream], [upstream, client]] as const) one.on("error", () => other.destroy()).on("close", () => other.destroy());
    });
    const url = `git://127.0.0.1:${await listening(proxy)}/api`;
    expect(await failure(cache.ensure("ws", url))).toMatch(/early EOF|hung up|disconnect/);
    nothingLeft(cache.cachePath("ws", url));
    state.cutAfter = Number.POSITIVE_INFINITY;
    expect((await cache.ensure("ws", url)).cloned).toBe(true);
    state.cutAfter = 0;
    const result = await cache.checkout(request(url));
    expect(result.stale).toBe(true);
    expect(readdirSync(result.path)).toHaveLength(301);
  });
});

/** A file system of a few megabytes; undefined where this machine does not let us make one. */
function smallDisk(path: string, size: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path], { stdio: "ignore" });
    onTestFinished(() => void execFileSync("umount", ["-l", path], { stdio: "ignore" }));
    return true;
  } catch {
    return false;
  }
}

describe("a disk that fills", () => {
  const big = (): Record<string, string> => {
    const files: Record<string, string> = {};
    for (let at = 0; at < 60; at += 1) files[`f${at}.bin`] = Array.from({ length: 9000 }, (_, line) => ((at * 7919 + line * 104_729) ** 2).toString(36)).join("");
    return files;
  };

  it("during the clone, the checkout or the rescue loses nothing, and the next try succeeds", async (test) => {
    const { git, dir } = harness();
    const disk = dir("disk");
    if (!smallDisk(disk, "24m")) return test.skip();
    const remote = makeRemote(git, dir("remotes", "api"), "main", big());
    const cache = createRepoCache({ root: join(disk, "root"), clock: systemClock, logger: silentLogger, env: git.env });
    onTestFinished(() => cache.close());
    const fill = join(disk, "fill");
    const full = (free: number): void => {
      const left = Number(execFileSync("df", ["--output=avail", "-B1", disk], { encoding: "utf8" }).split("\n")[1]);
      writeFileSync(fill, Buffer.alloc(Math.max(0, left - free)));
    };
    const empty = (): void => writeFileSync(fill, "");
    full(1_000_000);
    const text = await failure(cache.ensure("ws", remote));
    for (const part of ["No space left on device", remote, "The disk is full"]) expect(text).toContain(part);
    nothingLeft(cache.cachePath("ws", remote));
    empty();
    await cache.ensure("ws", remote);
    mkdirSync(join(disk, "work"));
    const request = { workspaceId: "ws", url: remote, workdir: join(disk, "work"), taskId: "a-000000000001", agentName: "a", mode: "linked" as const };
    full(1_000_000);
    expect(await failure(cache.checkout(request))).toMatch(/No space left|unable to write|ENOSPC/);
    expect(readdirSync(join(disk, "work"))).toEqual([]);
    empty();
    const { path } = await cache.checkout(request);
    const own = Array.from({ length: 60_000 }, (_, line) => ((line * 104_723) ** 2).toString(36)).join("");
    writeFileSync(join(path, "mine.txt"), own);
    const before = git(path, "hash-object", "mine.txt");
    full(20_000);
    expect(await failure(cache.checkout({ ...request, taskId: TASK_B }))).toMatch(/rescue_failed|ENOSPC|No space/);
    expect(git(path, "hash-object", "mine.txt")).toBe(before);
    empty();
    const result = await cache.checkout({ ...request, taskId: TASK_B });
    expect(result.rescued?.files).toBe(1);
    git(cache.cachePath("ws", remote), "fsck");
  }, 60_000);
});

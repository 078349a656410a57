import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tryFileLock } from "../../../src/lib/platform/index.ts";
import { testHome } from "../../support/daemon.ts";
import { gatedSsh } from "../../support/gated-ssh.ts";
import { commitFiles, makeRemote } from "../../support/git.ts";
import { localRequest } from "../../support/local-request.ts";
import { gitEnv, register, taskId, worker, world } from "../../support/many-tasks.ts";
import { waitFor } from "../../support/wait.ts";

/** A daemon whose workspace lists one repository, cached already unless told otherwise. */
async function listed(options: { cached?: boolean } = {}) {
  const at = await world();
  mkdirSync(join(at.dir, "ssh"));
  const ssh = gatedSsh(join(at.dir, "ssh"));
  const remote = makeRemote(at.git, join(at.dir, "remotes", "api"));
  const url = `ssh://host${remote}`;
  const one = await worker(at, testHome(), { ...gitEnv(at.git), ...ssh.env }, {}, { checkoutLockWait: 300 });
  await register(at.server, url);
  if (options.cached !== false) {
    ssh.open();
    await one.checkout(1, url);
  }
  const bare = one.ctx.repoCache.cachePath(at.server.workspaceId, url);
  /** What an agent's command sends, with the plain answer. */
  const ask = async (task: number, extra: Record<string, unknown> = {}, signal?: AbortSignal): ReturnType<typeof localRequest> => {
    one.enrol(task);
    const body = JSON.stringify({ url, workspace_id: at.server.workspaceId, task_id: taskId(task), workdir: one.workdir(task), ...extra });
    return localRequest(one.daemon.port, "POST", "/repo/checkout", { token: `mat_${task}`, body, ...(signal === undefined ? {} : { signal }) });
  };
  return { ...at, ...one, ssh, url, remote, bare, ask };
}

describe("a checkout that has to wait", () => {
  it("is told to come back, by both headers, when it can; without that it waits (repocache.md 20, case 60)", async () => {
    const { ask, bare, workdir } = await listed();
    const held = tryFileLock(`${bare}.lock`);
    const busy = await ask(2, { retry_busy: true });
    expect([busy.status, busy.text, busy.headers["x-multica-retryable"], busy.headers["retry-after"]]).toEqual([503, "repository is busy with another operation; retry later\n", "repo-busy", "2"]);
    expect(readdirSync(workdir(2))).toEqual([]);
    const patient = ask(3);
    expect(await Promise.race([patient.then(() => "answered"), ask(2, { retry_busy: true }).then(() => "still waiting")])).toBe("still waiting");
    held?.release();
    expect((await patient).status).toBe(200);
  });

  it("and whose caller went away makes no checkout later (case 61)", async () => {
    const { ask, bare, workdir, ctx } = await listed();
    const held = tryFileLock(`${bare}.lock`);
    const gone = new AbortController();
    const pending = ask(2, {}, gone.signal);
    await waitFor("somebody to wait for the lock", () => ctx.repoCache.activity().waiters === 1);
    gone.abort();
    await expect(pending).rejects.toThrow();
    await waitFor("the wait to end", () => ctx.repoCache.activity().waiters === 0);
    held?.release();
    expect((await ask(3)).status).toBe(200);
    expect(readdirSync(workdir(2))).toEqual([]);
  });

  it("does not keep the daemon from saying how it is within a second (case 62)", async () => {
    const { ask, daemon, ssh, ctx, server, url } = await listed({ cached: false });
    const cloning = ask(2);
    await waitFor("the clone to start", () => ssh.calls() >= 1);
    const started = performance.now();
    const health = await daemon.health();
    expect(performance.now() - started).toBeLessThan(1000);
    expect(health).toMatchObject({ status: "running" });
    const later = await ask(3, { retry_busy: true });
    expect([later.status, later.headers["x-multica-retryable"]]).toEqual([503, "repo-busy"]);
    ssh.open();
    expect((await cloning).status).toBe(200);
    expect(ctx.repoCache.isCached(server.workspaceId, url)).toBe(true);
  });
});

describe("a checkout", () => {
  it("of a cached repository works while the server is down, with a warning (case 63)", async () => {
    const { ask, server, bare } = await listed();
    await server.running.stop();
    const answer = await ask(2);
    expect(answer.status, answer.text).toBe(200);
    const body = JSON.parse(answer.text) as { path: string; warnings: string[] };
    expect(body.warnings.join()).toContain("refresh workspace repos: ");
    expect(existsSync(join(body.path, "README.md"))).toBe(true);
    expect(existsSync(bare)).toBe(true);
  }, 30_000);

  it("starts at the claim's revision unless another one is asked for, and only for that task (case 53)", async () => {
    const { ask, ctx, git, remote, server, url } = await listed();
    const main = git(remote, "rev-parse", "main");
    git(remote, "checkout", "-q", "-b", "develop");
    const develop = commitFiles(git, remote, { "develop.txt": "1" });
    git(remote, "checkout", "-q", "main");
    ctx.taskRepos.register(server.workspaceId, taskId(2), [{ url, ref: "develop" }]);
    const base = async (task: number, extra: Record<string, unknown> = {}): Promise<unknown> => (JSON.parse((await ask(task, extra)).text) as { base_commit: unknown }).base_commit;
    expect(await base(2)).toBe(develop);
    expect(await base(3)).toBe(main);
    expect(await base(2, { ref: "main" })).toBe(main);
  });

  it("is refused when the task's credential has ended (case 52)", async () => {
    const { daemon, enrol, server, url, workdir } = await listed();
    const end = enrol(2);
    end();
    const body = JSON.stringify({ url, workspace_id: server.workspaceId, task_id: taskId(2), workdir: workdir(2) });
    expect(await localRequest(daemon.port, "POST", "/repo/checkout", { token: "mat_2", body })).toMatchObject({ status: 401, text: "repo checkout requires an active task credential\n" });
    expect(readdirSync(workdir(2))).toEqual([]);
  });
});

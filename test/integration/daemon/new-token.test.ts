import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { DaemonApi } from "../../../src/lib/api/daemon-api.ts";
import { createHttp } from "../../../src/lib/api/ky-http.ts";
import type { DaemonContext } from "../../../src/lib/daemon/context.ts";
import { createOutboxSink } from "../../../src/lib/daemon/outbox/sink.ts";
import { OwnToken, adoptToken } from "../../../src/lib/daemon/own-token.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import type { Task } from "../../../src/lib/wire/index.ts";
import { RequestError } from "../../../src/lib/api/index.ts";
import { configFor, type TestServer, testDaemon, testHome, testServer } from "../../support/daemon.ts";
import { waitFor } from "../../support/wait.ts";

/** A token of the daemon's own, and how to take it away again. */
async function ownToken(server: TestServer, name: string): Promise<{ token: string; revoke(): Promise<void> }> {
  const made = await server.api.createToken({ name });
  const http = createHttp({ serverUrl: server.url, token: server.token, platform: "cli", clientVersion: "0.4.24", os: "linux" });
  return {
    token: String(made.token),
    revoke: async () => void (await http.request("DELETE", `/api/tokens/${made.id}`)),
  };
}

function write(stateDir: string, changes: Record<string, unknown>): void {
  const file = join(stateDir, "config.json");
  const settings = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(`${file}.new`, JSON.stringify({ ...settings, ...changes }));
  renameSync(`${file}.new`, file);
}

describe("a token that changes while the daemon runs", () => {
  it("ends the pause of the outbox: the result that waited arrives without a restart (B14)", async () => {
    const server = await testServer();
    const home = testHome();
    const first = await ownToken(server, "first");
    const claimed = Promise.withResolvers<{ ctx: DaemonContext; task: Task }>();
    const finish = Promise.withResolvers<void>();
    const config = configFor(home, { url: server.url, token: first.token });
    const daemon = await testDaemon(home, config, {
      noState: false,
      limits: { settingsPoll: 50 },
      runTask: async (ctx, task) => {
        await ctx.api.start(task.id);
        claimed.resolve({ ctx, task });
        await finish.promise;
        if (ctx.outbox !== null) await createOutboxSink(ctx.outbox, ctx).terminal({ kind: "complete", taskId: task.id, body: { output: "worth keeping" } });
      },
    });
    const [runtime] = await server.api.runtimes();
    const agent = await server.api.createAgent({ name: "Ada", runtime_id: runtime?.id ?? "" });
    const issue = await server.api.createIssue({ title: "work", assignee_type: "agent", assignee_id: agent.id });
    const { ctx, task } = await claimed.promise;
    await first.revoke();
    finish.resolve();
    await waitFor("the pause", async () => ((await daemon.health()).outbox as { paused?: string } | undefined)?.paused === "auth");
    const attempts = [...(ctx.outbox?.lanes.get(task.id)?.entries ?? [])].map((entry) => entry.attempts);
    expect(attempts).toEqual([0]);
    write(config.stateDir, { token: (await ownToken(server, "second")).token });
    await waitFor("the result", async () => (await server.api.taskRuns(issue.id))[0]?.status === "completed", 15_000);
    expect(ctx.outbox?.closed).toBeNull();
    expect((await server.api.runtimes())[0]).toMatchObject({ id: runtime?.id, status: "online" });
  }, 30_000);

  it("is not shown to a server when the settings name another one", async () => {
    const server = await testServer();
    const home = testHome();
    const config = configFor(home, server);
    await testDaemon(home, config, { limits: { settingsPoll: 50 } });
    write(config.stateDir, { token: "mul_of_another_server", server_url: "http://127.0.0.1:9" });
    await waitFor("the word", () => readFileSync(join(config.stateDir, "daemon.log"), "utf8").includes("another server now"));
  });
});

describe("what is asked of a new token", () => {
  const parts = (workspaces: DaemonApi["workspaces"]) => {
    const runtimes = new RuntimeRegistry();
    runtimes.track("w1", "one");
    const token = new OwnToken("old");
    let adopted = 0;
    const adopt = { profile: "", logger: silentLogger, runtimes, rootSignal: new AbortController().signal, token, apiWith: () => ({ workspaces }), onAdopted: () => (adopted += 1) };
    return { adopt, token, adopted: () => adopted };
  };
  const list = (...ids: string[]): Awaited<ReturnType<DaemonApi["workspaces"]>> => ({ kind: "list", workspaces: ids.map((id) => ({ id, name: id })) });

  it("takes one that sees every workspace that is served", async () => {
    const { adopt, token, adopted } = parts(() => Promise.resolve(list("w0", "w1")));
    expect([await adoptToken(adopt, "new"), token.current, adopted()]).toEqual(["adopted", "new", 1]);
  });

  it("leaves somebody else's and a refused one alone", async () => {
    const other = parts(() => Promise.resolve(list("w0")));
    expect([await adoptToken(other.adopt, "new"), other.token.current, other.adopted()]).toEqual(["refused", "old", 0]);
    const refused = parts(() => Promise.reject(new RequestError("GET", "/api/daemon/workspaces", 401, "no", null)));
    expect([await adoptToken(refused.adopt, "new"), refused.token.current]).toEqual(["refused", "old"]);
  });

  it("decides nothing while the server is away", async () => {
    const away = parts(() => Promise.reject(new RequestError("GET", "/api/daemon/workspaces", 503, "later", null)));
    expect([await adoptToken(away.adopt, "new"), away.token.current]).toEqual(["later", "old"]);
  });
});

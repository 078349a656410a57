import { describe, expect, it } from "vitest";
import { signSession } from "../../../src/lib/server/auth/jwt.ts";
import { serverPaths } from "../../../src/lib/server/index.ts";
import { sessionSecret } from "../../../src/lib/server/store.ts";
import { type LiveServer, liveServer, openSocket } from "../../support/live-server.ts";

const NO_REPOS = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

async function session(server: LiveServer, nowMs: number): Promise<string> {
  const me = await server.get<{ id: string; email: string; name: string }>("/api/me");
  const iat = Math.floor(nowMs / 1000);
  const secret = await sessionSecret(serverPaths(server.dataDir));
  return signSession(secret, { sub: me.id, email: me.email, name: me.name, iat, exp: iat + 3600 });
}

const registration = (workspaceId: string, more: object = {}) => ({
  workspace_id: workspaceId,
  daemon_id: "D",
  legacy_daemon_ids: [],
  device_name: "host",
  cli_version: "0.4.24",
  launched_by: "",
  runtimes: [{ name: "Claude (host)", type: " Claude ", version: "2.1.100", status: "online" }],
  failed_profiles: [],
  ...more,
});

describe("trace 1: login and registration", () => {
  it("goes from a session to a registered runtime with a socket that answers its heartbeat", async () => {
    const server = await liveServer();
    const jwt = await session(server, server.clock.now());
    const made = await server.call("POST", "/api/tokens", { name: "CLI (host)", expires_in_days: 90 }, { token: jwt });
    expect(made.status).toBe(201);
    const token = String(made.body["token"]);
    expect(token).toMatch(/^mul_[0-9a-f]{40}$/);
    const as = { token };
    expect((await server.call("GET", "/api/me", undefined, as)).status).toBe(200);
    expect(await server.post("/api/tokens/current/renew", {}, as)).toEqual({ expires_at: "2026-04-01T00:00:00Z", renewed: false });

    const list = await server.call("GET", "/api/daemon/workspaces", undefined, as);
    expect(list.body).toEqual([{ id: server.workspaceId, name: expect.any(String) }]);
    const etag = list.headers.get("etag") ?? "";
    expect(etag).toMatch(/^W\/"[0-9a-f]{64}"$/);
    expect(list.headers.get("cache-control")).toBe("private, no-cache");
    const same = await server.call("GET", "/api/daemon/workspaces", undefined, { ...as, headers: { "if-none-match": etag } });
    expect([same.status, same.text]).toEqual([304, ""]);

    const W = server.workspaceId;
    expect(await server.get(`/api/daemon/workspaces/${W}/runtime-profiles`, as)).toEqual({ workspace_id: W, runtime_profiles: [] });
    const registered = await server.post<{ runtimes: { id: string }[] }>("/api/daemon/register", registration(W), as);
    expect(registered).toMatchObject({
      runtimes: [{ provider: "claude", name: "Claude (host)", status: "online", device_info: "host · 2.1.100", profile_id: null, daemon_id: "D" }],
      repos: [],
      repos_version: NO_REPOS,
      settings: {},
    });
    const R = registered.runtimes[0]?.id ?? "";
    expect(await server.post(`/api/daemon/runtimes/${R}/recover-orphans`, {}, as)).toEqual({ orphaned: 0, retried: 0 });

    const socket = await server.connect([R], token);
    socket.send("daemon:heartbeat", { runtime_id: R, supports_batch_import: true });
    expect(await socket.next("daemon:heartbeat_ack")).toEqual({ type: "daemon:heartbeat_ack", payload: { runtime_id: R, status: "ok", server_capabilities: ["rpc-v1"] } });
  });

  it("keeps a runtime's id over restarts and moves what an earlier identity of the machine owned", async () => {
    const server = await liveServer();
    const R = await server.register();
    expect(await server.register()).toBe(R);
    const A = await server.agent(R);
    await server.issue(A);
    const moved = await server.post<{ runtimes: { id: string }[] }>(
      "/api/daemon/register",
      registration(server.workspaceId, { daemon_id: "NEW", legacy_daemon_ids: ["d"], runtimes: [{ type: "codex", status: "online" }] }),
    );
    const next = moved.runtimes[0]?.id ?? "";
    expect(next).not.toBe(R);
    expect(await server.get(`/api/agents/${A}`)).toMatchObject({ runtime_id: next });
    expect(await server.claim([next])).toHaveLength(1);
    expect((await server.call("POST", "/api/daemon/heartbeat", { runtime_id: R })).text).toBe('{"error":"runtime not found"}\n');
  });

  it("hashes the sorted repository URLs and nothing else", async () => {
    const server = await liveServer();
    await server.put(`/api/workspaces/${server.workspaceId}`, { repos: [{ url: "https://b.example/x", description: "one" }, { url: "https://a.example/x" }], settings: { co_authored_by_enabled: false } });
    const facts = await server.get<{ repos_version: string }>(`/api/daemon/workspaces/${server.workspaceId}/repos`);
    expect(facts).toMatchObject({ repos: [{ url: "https://b.example/x", description: "one" }, { url: "https://a.example/x" }], settings: { co_authored_by_enabled: false } });
    await server.put(`/api/workspaces/${server.workspaceId}`, { repos: [{ url: "https://a.example/x" }, { url: "https://b.example/x", ref: "dev" }] });
    expect((await server.get<{ repos_version: string }>(`/api/daemon/workspaces/${server.workspaceId}/repos`)).repos_version).toBe(facts.repos_version);
  });

  it.each([
    { name: "no daemon", body: { daemon_id: "" }, status: 400, error: "daemon_id is required" },
    { name: "no workspace", body: { workspace_id: "" }, status: 400, error: "workspace_id is required" },
    { name: "no runtime", body: { runtimes: [] }, status: 400, error: "at least one runtime or failed profile is required" },
    { name: "an unknown workspace", body: { workspace_id: "00000000-0000-4000-8000-000000000000" }, status: 404, error: "workspace not found" },
    { name: "an unknown profile", body: { runtimes: [{ type: "x", profile_id: "nope" }] }, status: 400, error: "unknown runtime profile: nope" },
    { name: "nonsense", body: { runtimes: "x" }, status: 400, error: "invalid request body" },
  ])("refuses a registration with $name", async ({ body, status, error }) => {
    const server = await liveServer();
    const answer = await server.call("POST", "/api/daemon/register", registration(server.workspaceId, body));
    expect([answer.status, answer.body]).toEqual([status, { error }]);
  });

  it("takes deregistered runtimes offline and skips strangers", async () => {
    const server = await liveServer();
    const R = await server.register();
    const body = { runtime_ids: [R, "nonsense"], offline_reasons: { [R]: { code: "not_executable" } } };
    expect(await server.post("/api/daemon/deregister", body)).toEqual({ status: "ok" });
    expect(await server.get("/api/runtimes")).toMatchObject([{ id: R, status: "offline", metadata: { offline_reason: { code: "not_executable" } } }]);
    expect(await server.post("/api/daemon/heartbeat", { runtime_id: R })).toEqual({ status: "ok" });
    expect(await server.get("/api/runtimes")).toMatchObject([{ status: "online" }]);
    expect((await server.call("POST", "/api/daemon/deregister", {})).body).toEqual({ error: "runtime_ids is required" });
  });
});

describe("the daemon socket", () => {
  it("refuses before the upgrade: credential 401, stranger 404, other paths the plain text", async () => {
    const server = await liveServer();
    const R = await server.register();
    await expect(server.connect([R], "mul_wrong")).rejects.toThrow('401 {"error":"invalid token"}');
    await expect(server.connect([R, "00000000-0000-4000-8000-000000000000"])).rejects.toThrow('404 {"error":"runtime not found"}');
    const base = server.url.replace("http", "ws");
    await expect(openSocket(`${base}/api/daemon/ws?runtime_ids=${R}`, null)).rejects.toThrow('401 {"error":"missing authorization header"}');
    await expect(openSocket(`${base}/ws`, server.token)).rejects.toThrow("404 404 page not found");
  });

  it("accepts a daemon that has no runtime yet, and every spelling of the ids", async () => {
    const server = await liveServer();
    const one = await server.register();
    const two = await server.register({ type: "acp", status: "online" });
    await server.connect([]);
    const socket = await openSocket(`${server.url.replace("http", "ws")}/api/daemon/ws?runtime_ids=${one}&runtime_id=${two}`, server.token);
    for (const id of [one, two]) socket.send("daemon:heartbeat", { runtime_id: id });
    await socket.next("daemon:heartbeat_ack");
    expect((await socket.next("daemon:heartbeat_ack")).payload).toEqual({ runtime_id: two, status: "ok", server_capabilities: ["rpc-v1"] });
  });

  it("says when a runtime is gone, and ignores strangers, nonsense and unknown frames", async () => {
    const server = await liveServer();
    const R = await server.register();
    const socket = await server.connect([R]);
    socket.socket.send("{nonsense");
    socket.socket.send(Buffer.from([1, 2, 3]));
    socket.send("daemon:unheard_of", { request_id: "1", method: "tasks.claim" });
    socket.send("daemon:heartbeat", { runtime_id: "stranger" });
    expect((await server.call("DELETE", `/api/runtimes/${R}`)).status).toBe(200);
    socket.send("daemon:heartbeat", { runtime_id: R });
    expect((await socket.next("daemon:heartbeat_ack")).payload).toEqual({ runtime_id: R, status: "runtime_gone", runtime_gone: true, server_capabilities: ["rpc-v1"] });
    expect(socket.frames).toEqual([]);
  });

  it("pings every 54 s and drops who does not answer within 60 s", async () => {
    const server = await liveServer();
    const R = await server.register();
    const lively = await server.connect([R]);
    const mute = await server.connect([R]);
    await server.clock.advance(54_000);
    await expect.poll(() => lively.pings + mute.pings).toBe(2);
    // A heartbeat and its ack behind the pong prove that the server has seen the pong.
    for (const socket of [lively, mute]) {
      socket.send("daemon:heartbeat", { runtime_id: R });
      await socket.next("daemon:heartbeat_ack");
    }
    mute.socket.pause();
    await server.clock.advance(54_000);
    await expect.poll(() => lively.pings).toBe(2);
    lively.send("daemon:heartbeat", { runtime_id: R });
    await lively.next("daemon:heartbeat_ack");
    await server.clock.advance(7_000);
    mute.socket.resume();
    expect(await mute.closed()).toBe(1006);
    expect(lively.closeCode).toBeUndefined();
  });

  it("disconnects who sends more than 64 KiB", async () => {
    const server = await liveServer();
    const R = await server.register();
    const loud = await server.connect([R]);
    loud.socket.send("x".repeat(65 * 1024));
    expect(await loud.closed()).toBe(1009);
  });

  it("closes with 1001 when the server stops", async () => {
    const server = await liveServer();
    const socket = await server.connect([await server.register()]);
    const stopping = server.server.stop();
    expect(await socket.closed()).toBe(1001);
    await stopping;
    await expect(server.connect([])).rejects.toThrow();
  });
});

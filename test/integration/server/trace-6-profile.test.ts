import { describe, expect, it } from "vitest";
import { type LiveServer, liveServer } from "../../support/live-server.ts";

const builtIn = { name: "Codex (host)", type: "codex", version: "1.0.0", status: "online" };

function register(server: LiveServer, runtimes: object[], failed: object[] = []) {
  const body = { workspace_id: server.workspaceId, daemon_id: "D", device_name: "host", runtimes, failed_profiles: failed };
  return server.post<{ runtimes: { id: string; provider: string; profile_id: string | null }[] }>("/api/daemon/register", body);
}

describe("trace 6: a runtime profile", () => {
  it("is announced, registered as a runtime of its family, and withdrawn when it is disabled", async () => {
    const server = await liveServer();
    const W = server.workspaceId;
    const R = await server.register(builtIn);
    const socket = await server.connect([R]);
    const waiting = await server.connect([]);
    const profile = await server.call("POST", `/api/workspaces/${W}/runtime-profiles`, { display_name: "Mine", protocol_family: "codex", command_name: "my-codex", fixed_args: ["-v"] });
    expect(profile.status).toBe(201);
    const P = String(profile.body["id"]);
    for (const daemon of [socket, waiting]) {
      expect((await daemon.next("daemon:runtime_profiles_changed")).payload).toEqual({ workspace_id: W, runtime_profile_id: P });
    }
    expect(await server.get(`/api/daemon/workspaces/${W}/runtime-profiles`)).toMatchObject({ runtime_profiles: [{ id: P, command_name: "my-codex", fixed_args: ["-v"], enabled: true }] });

    const both = await register(server, [builtIn, { name: "Mine", type: "whatever", profile_id: P, status: "online" }]);
    expect(both.runtimes).toMatchObject([{ id: R, provider: "codex", profile_id: null }, { provider: "codex", profile_id: P }]);
    const own = both.runtimes[1]?.id ?? "";
    const A = await server.agent(own);
    await server.issue(A);
    expect(await server.claim([R])).toEqual([]);
    expect(await server.claim([own])).toHaveLength(1);

    const bound = await server.call("DELETE", `/api/workspaces/${W}/runtime-profiles/${P}`);
    expect([bound.status, bound.body]).toEqual([409, { error: "cannot delete runtime profile: active agents are still bound to its runtimes" }]);
    await server.put(`/api/workspaces/${W}/runtime-profiles/${P}`, { enabled: false });
    await socket.next("daemon:runtime_profiles_changed");
    expect(await server.get(`/api/daemon/workspaces/${W}/runtime-profiles`)).toMatchObject({ runtime_profiles: [] });
    const refused = await server.call("POST", "/api/daemon/register", { workspace_id: W, daemon_id: "D", runtimes: [{ type: "codex", profile_id: P }] });
    expect([refused.status, refused.body]).toEqual([409, { error: `runtime profile is disabled: ${P}` }]);
    expect((await register(server, [builtIn])).runtimes).toHaveLength(1);

    await server.post(`/api/agents/${A}/archive`);
    expect((await server.call("DELETE", `/api/workspaces/${W}/runtime-profiles/${P}`)).status).toBe(204);
    expect(await server.get("/api/runtimes")).toMatchObject([{ id: R }]);
  });

  it("shows a profile whose command is missing as an offline runtime that says why", async () => {
    const server = await liveServer();
    const input = { display_name: "Mine", protocol_family: "acp", command_name: "echo-agent" };
    const P = (await server.post<{ id: string }>(`/api/workspaces/${server.workspaceId}/runtime-profiles`, input)).id;
    const answer = await register(server, [], [{ profile_id: P, command_name: "echo-agent", reason: "not found on PATH" }]);
    expect(answer.runtimes).toEqual([]);
    expect(await server.get("/api/runtimes")).toMatchObject([
      { status: "offline", profile_id: P, provider: "acp", metadata: { failure_reason: "not found on PATH", command_name: "echo-agent" } },
    ]);
    const found = await register(server, [{ name: "Mine", type: "acp", profile_id: P, status: "online" }]);
    expect(await server.get("/api/runtimes")).toMatchObject([{ id: found.runtimes[0]?.id, status: "online" }]);
    expect(JSON.stringify(await server.get("/api/runtimes"))).not.toContain("not found on PATH");
  });
});

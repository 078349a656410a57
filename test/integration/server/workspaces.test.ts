import { describe, expect, it } from "vitest";
import { uuid } from "../../../src/lib/core/index.ts";
import { testServer } from "../../support/server.ts";

describe("workspaces (server-api.md 13.2)", () => {
  it("begin with one named local, owned by the local user", async () => {
    const server = await testServer();
    const list = (await server.call("GET", "/api/workspaces")).list;
    expect(list.map((workspace) => [workspace["slug"], workspace["issue_prefix"]])).toEqual([["local", "LOCA"]]);
    const members = (await server.call("GET", `/api/workspaces/${server.workspaceId}/members`)).list;
    expect(members.map((member) => [member["user_id"], member["role"]])).toEqual([[server.userId, "owner"]]);
  });

  it("check their slug and prefix", async () => {
    const server = await testServer();
    const create = async (input: object): Promise<unknown[]> => {
      const reply = await server.call("POST", "/api/workspaces", input);
      return [reply.status, reply.body["error"] ?? reply.body["issue_prefix"]];
    };
    expect(await create({ name: "x" })).toEqual([400, "name and slug are required"]);
    for (const slug of ["Bad", "a--b", "-a", "a_b"]) {
      expect(await create({ name: "x", slug })).toEqual([400, "slug must contain only lowercase letters, numbers, and hyphens"]);
    }
    expect(await create({ name: "x", slug: "api" })).toEqual([400, "slug is reserved"]);
    expect(await create({ name: "x", slug: "local" })).toEqual([409, "workspace slug already exists"]);
    expect(await create({ name: "x", slug: "a-bc-de" })).toEqual([201, "ABCD"]);
    expect(await create({ name: "x", slug: "other", issue_prefix: "op" })).toEqual([201, "OP"]);
  });

  it("take a whole list of repositories, trimmed and each once", async () => {
    const server = await testServer();
    const path = `/api/workspaces/${server.workspaceId}`;
    const repos = [{ url: " https://example.com/a.git " }, { url: "https://example.com/a.git" }, { url: "git@host:team/b.git", description: "b" }, { url: "/srv/git/c.git" }, { url: "file:///srv/d.git" }];
    const changed = await server.ok("PATCH", path, { repos, context: "Be kind." });
    expect(changed["repos"]).toEqual([
      { url: "https://example.com/a.git" },
      { url: "git@host:team/b.git", description: "b" },
      { url: "/srv/git/c.git" },
      { url: "file:///srv/d.git" },
    ]);
    expect(changed["context"]).toBe("Be kind.");
    for (const url of ["nonsense", "--upload-pack=touch /tmp/x", "ext::sh -c x", "https://"]) {
      expect((await server.call("PUT", path, { repos: [{ url }] })).status).toBe(400);
    }
    expect(((await server.ok("GET", path))["repos"] as unknown[]).length).toBe(4);
  });

  it("refuse ids that are none and workspaces of other people", async () => {
    const server = await testServer();
    expect((await server.call("GET", "/api/workspaces/7")).body["error"]).toBe("invalid workspace_id");
    expect((await server.call("GET", `/api/workspaces/${uuid()}`)).body["error"]).toBe("workspace not found");
  });
});

describe("runtime profiles (server-api.md 13.2)", () => {
  it("are created, read, changed and deleted, each change seen by daemons", async () => {
    const server = await testServer();
    const path = `/api/workspaces/${server.workspaceId}/runtime-profiles`;
    const made = await server.ok("POST", path, { display_name: "Mine", protocol_family: "acp", command_name: "my-agent", fixed_args: ["--acp"] });
    expect(made).toMatchObject({ display_name: "Mine", protocol_family: "acp", fixed_args: ["--acp"], enabled: true, created_by: server.userId });
    const one = `${path}/${String(made["id"])}`;
    expect((await server.ok("GET", one))["command_name"]).toBe("my-agent");
    expect(await server.ok("PATCH", one, { enabled: false })).toMatchObject({ enabled: false, display_name: "Mine" });
    const forDaemon = await server.ok("GET", `/api/daemon/workspaces/${server.workspaceId}/runtime-profiles`);
    expect(forDaemon["runtime_profiles"]).toEqual([]);
    expect(((await server.ok("GET", path))["runtime_profiles"] as unknown[]).length).toBe(1);
    expect((await server.call("DELETE", one)).status).toBe(204);
    expect((await server.call("GET", one)).body["error"]).toBe("runtime profile not found");
  });

  it("say what is wrong with the input", async () => {
    const server = await testServer();
    const path = `/api/workspaces/${server.workspaceId}/runtime-profiles`;
    const good = { display_name: "Mine", protocol_family: "codex", command_name: "my-codex" };
    const refused = async (input: object): Promise<unknown[]> => {
      const reply = await server.call("POST", path, input);
      return [reply.status, reply.body["error"]];
    };
    expect(await refused({ ...good, display_name: "" })).toEqual([400, "display_name is required"]);
    expect((await refused({ ...good, protocol_family: "emacs" }))[1]).toMatch(/^unsupported protocol_family: must be one of claude, /);
    expect(await refused({ ...good, command_name: " " })).toEqual([400, "command_name is required"]);
    expect(await refused({ ...good, command_name: "a b" })).toEqual([
      400,
      "command_name must be a single executable token; put arguments in fixed_args",
    ]);
    await server.ok("POST", path, good);
    expect(await refused(good)).toEqual([409, "a runtime profile with this display_name already exists"]);
  });

  it("stay while an active agent is bound to one of their runtimes", async () => {
    const server = await testServer();
    const path = `/api/workspaces/${server.workspaceId}/runtime-profiles`;
    const profile = await server.ok("POST", path, { display_name: "Mine", protocol_family: "codex", command_name: "my-codex" });
    const registered = await server.ok("POST", "/api/daemon/register", {
      workspace_id: server.workspaceId,
      daemon_id: "daemon-1",
      runtimes: [{ name: "mine", type: "codex", version: "1", status: "online", profile_id: profile["id"] }],
    });
    const runtime = (registered["runtimes"] as Record<string, unknown>[])[0];
    expect(runtime).toMatchObject({ profile_id: profile["id"], provider: "codex" });
    const agent = await server.ok("POST", "/api/agents", { name: "Dev", runtime_id: runtime?.["id"] });
    const one = `${path}/${String(profile["id"])}`;
    const refused = await server.call("DELETE", one);
    expect([refused.status, refused.body["error"]]).toEqual([409, "cannot delete runtime profile: active agents are still bound to its runtimes"]);
    await server.ok("POST", `/api/agents/${String(agent["id"])}/archive`);
    expect((await server.call("DELETE", one)).status).toBe(204);
    expect((await server.call("GET", "/api/runtimes")).list).toEqual([]);
  });
});

describe("the signed-in user (server-api.md 13.1.4)", () => {
  it("changes its profile within limits", async () => {
    const server = await testServer();
    const patch = async (input: object): Promise<unknown> => {
      const reply = await server.call("PATCH", "/api/me", input);
      return reply.body["error"] ?? reply.status;
    };
    expect(await patch({ name: "Ada", language: "en", timezone: "Europe/Berlin", profile_description: "x" })).toBe(200);
    expect(await server.ok("GET", "/api/me")).toMatchObject({ name: "Ada", language: "en", timezone: "Europe/Berlin" });
    expect(await patch({ name: " " })).toBe("name is required");
    expect(await patch({ language: "xx" })).toBe("unsupported language");
    expect(await patch({ timezone: "Mars/Base" })).toBe("invalid timezone");
    expect(await patch({ profile_description: "x".repeat(2001) })).toBe("profile_description exceeds 2000 characters");
  });
});

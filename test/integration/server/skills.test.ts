import { describe, expect, it } from "vitest";
import { type LiveServer, liveServer } from "../../support/live-server.ts";
import { skillManifest } from "../../../src/lib/core/index.ts";

const BUNDLES = { headers: { "x-client-capabilities": "skill-bundles-v1,coalesced-comments-v1" } };

async function skill(server: LiveServer, input: object): Promise<string> {
  return String((await server.post("/api/skills", input))["id"]);
}

async function claimOne(server: LiveServer, runtimeId: string, options = BUNDLES) {
  const answer = await server.post<{ tasks: Record<string, unknown>[] }>("/api/daemon/tasks/claim", { daemon_id: "D", runtime_ids: [runtimeId], max_tasks: 1 }, options);
  return answer.tasks[0] as { id: string; auth_token: string; agent: Record<string, unknown> };
}

describe("skills of a workspace", () => {
  it("are created, listed without their text, changed, and deleted with their files", async () => {
    const server = await liveServer();
    const made = await server.call("POST", "/api/skills", { name: "deploy", content: "# Deploy\r\n", config: { a: 1 }, files: [{ path: "scripts/run.sh", content: "x" }] });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ name: "deploy", description: "", content: "# Deploy\r\n", config: { a: 1 }, files: [{ path: "scripts/run.sh", content: "x" }] });
    const id = String(made.body["id"]);
    const listed = await server.get<Record<string, unknown>[]>("/api/skills");
    expect(listed).toMatchObject([{ id, name: "deploy" }]);
    expect(listed[0]).not.toHaveProperty("content");
    expect(await server.put(`/api/skills/${id}`, { description: "how to" })).toMatchObject({ content: "# Deploy\r\n", description: "how to", files: [{ path: "scripts/run.sh" }] });
    const file = await server.put<{ id: string }>(`/api/skills/${id}/files`, { path: "a.md", content: "1" });
    expect((await server.put<{ id: string }>(`/api/skills/${id}/files`, { path: "a.md", content: "2" })).id).toBe(file.id);
    expect(await server.get(`/api/skills/${id}/files`)).toMatchObject([{ path: "a.md", content: "2" }, { path: "scripts/run.sh" }]);
    expect((await server.call("DELETE", `/api/skills/${id}/files/${file.id}`)).status).toBe(204);
    expect(await server.put(`/api/skills/${id}`, { files: [] })).toMatchObject({ files: [] });
    expect((await server.call("DELETE", `/api/skills/${id}`)).status).toBe(204);
    expect((await server.call("GET", `/api/skills/${id}`)).body).toEqual({ error: "skill not found" });
  });

  it("refuse what cannot be a skill and leave nothing behind", async () => {
    const server = await liveServer();
    await skill(server, { name: "deploy" });
    for (const [body, status, error] of [
      [{}, 400, "name is required"],
      [{ name: " " }, 400, "name is required"],
      [{ name: "deploy" }, 409, "a skill with this name already exists"],
      [{ name: 5 }, 400, "invalid request body"],
      [{ name: "b", files: [{ path: "../b", content: "" }] }, 400, "invalid file path"],
      [{ name: "b", files: [{ path: "/etc/x", content: "" }] }, 400, "invalid file path"],
      [{ name: "b", files: [{ path: "a\\b", content: "" }] }, 400, "invalid file path"],
      [{ name: "b", files: [{ path: "a//b", content: "" }] }, 400, "invalid file path"],
      [{ name: "b", files: [{ path: "SKILL.md", content: "" }] }, 400, "SKILL.md is the skill's content, not a file"],
      [{ name: "b", files: [{ path: "a", content: "" }, { path: "a", content: "" }] }, 400, "duplicate file path"],
    ] as const) {
      const answer = await server.call("POST", "/api/skills", body);
      expect([answer.status, answer.body["error"]], JSON.stringify(body)).toEqual([status, error]);
    }
    expect(await server.get("/api/skills")).toHaveLength(1);
  });

  it("are attached to agents, switched off and taken away", async () => {
    const server = await liveServer();
    const A = await server.agent(await server.register());
    const [one, two] = [await skill(server, { name: "one" }), await skill(server, { name: "two" })];
    expect(await server.put(`/api/agents/${A}/skills`, { skill_ids: [one] })).toMatchObject([{ id: one, enabled: true }]);
    expect(await server.post(`/api/agents/${A}/skills/add`, { skill_ids: [two, one] })).toMatchObject([{ name: "one" }, { name: "two" }]);
    expect(await server.put(`/api/agents/${A}/skills/${two}/enabled`, { enabled: false })).toMatchObject([{}, { name: "two", enabled: false }]);
    expect(await server.get(`/api/agents/${A}`)).toMatchObject({ skills: [{ id: one }, { id: two, enabled: false }] });
    const odd = await server.call("POST", `/api/agents/${A}/skills/add`, { skill_ids: [A] });
    expect([odd.status, odd.body]).toEqual([400, { error: "one or more skills not found in this workspace" }]);
    expect((await server.call("DELETE", `/api/agents/${A}/skills/${one}`)).body).toMatchObject([{ id: two }]);
    expect(await server.put(`/api/agents/${A}/skills`, { skill_ids: [] })).toEqual([]);
  });
});

describe("skills in a claim", () => {
  it("are references for a daemon that resolves them, bodies for one that does not", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R);
    const S = await skill(server, { name: "deploy", content: "é", files: [{ path: "b.md", content: "b" }, { path: "a.md", content: "a" }] });
    const off = await skill(server, { name: "off" });
    await server.put(`/api/agents/${A}/skills`, { skill_ids: [S, off] });
    await server.put(`/api/agents/${A}/skills/${off}/enabled`, { enabled: false });
    const expected = skillManifest({ source: "workspace", id: S, name: "deploy", description: "", content: "é", files: [{ path: "a.md", content: "a" }, { path: "b.md", content: "b" }] });
    await server.issue(A);
    const task = await claimOne(server, R);
    expect(task.agent["skills"]).toBeUndefined();
    expect(task.agent["skill_refs"]).toMatchObject([{ id: S, source: "workspace", name: "deploy", hash: expected.hash, size_bytes: 4, file_count: 2, files: [{ path: "a.md", size_bytes: 1 }, { path: "b.md" }] }]);

    const resolve = `/api/daemon/runtimes/${R}/tasks/${task.id}/skill-bundles/resolve`;
    const ref = { id: S, source: "workspace", hash: expected.hash };
    const { bundles } = await server.post<{ bundles: Record<string, unknown>[] }>(resolve, { skills: [ref] });
    expect(bundles).toMatchObject([{ id: S, source: "workspace", hash: expected.hash, content: "é", files: [{ path: "a.md", content: "a", sha256: expected.files[0]?.sha256 }, { path: "b.md" }] }]);
    expect(await server.post(resolve, { skills: [] })).toEqual({ bundles: [] });

    await server.put(`/api/skills/${S}`, { content: "newer" });
    const edited = await server.post<{ bundles: { content: string; hash: string }[] }>(resolve, { skills: [ref] });
    expect(edited.bundles[0]?.content).toBe("newer");
    expect(edited.bundles[0]?.hash).not.toBe(expected.hash);

    for (const [skills, status, error] of [
      [[{ id: "", source: "workspace" }], 400, "invalid skill ref"],
      [[{ id: "x", source: "workspace" }], 400, "invalid skill ref"],
      [[{ id: S, source: "moon" }], 400, "invalid skill ref"],
      [[{ id: "builtin:x", source: "builtin" }], 404, "skill bundle not found"],
      [[{ id: off, source: "workspace" }], 404, "skill bundle not found"],
    ] as const) {
      const answer = await server.call("POST", resolve, { skills });
      expect([answer.status, answer.body["error"]]).toEqual([status, error]);
    }
    await server.post(`/api/daemon/tasks/${task.id}/start`);
    const started = await server.call("POST", resolve, { skills: [ref] });
    expect([started.status, started.body]).toEqual([409, { error: "task is not preparing" }]);
    await server.post(`/api/daemon/tasks/${task.id}/complete`, { output: "ok" });

    await server.issue(A, "again");
    const plain = await claimOne(server, R, { headers: { "x-client-capabilities": "" } });
    expect(plain.agent["skill_refs"]).toBeUndefined();
    expect(plain.agent["skills"]).toMatchObject([{ id: S, name: "deploy", content: "newer", files: [{ path: "a.md", content: "a" }, { path: "b.md" }] }]);
    const other = await server.register({ name: "x", type: "claude", status: "online" });
    const foreign = await server.call("POST", `/api/daemon/runtimes/${other}/tasks/${plain.id}/skill-bundles/resolve`, { skills: [] });
    expect([foreign.status, foreign.body]).toEqual([404, { error: "task not found" }]);
    expect((await server.call("POST", resolve, {}, { token: plain.auth_token })).status).toBe(401);
  });
});

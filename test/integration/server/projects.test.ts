import { describe, expect, it } from "vitest";
import { type LiveServer, liveServer } from "../../support/live-server.ts";
import { uuid } from "../../../src/lib/core/index.ts";

async function project(server: LiveServer, input: object = {}): Promise<string> {
  return String((await server.post("/api/projects", { title: "Ship", ...input }))["id"]);
}

const repo = (url: string, ref?: string) => ({ resource_type: "github_repo", resource_ref: { url, ...(ref === undefined ? {} : { ref }) } });

describe("projects", () => {
  it("are created with resources, counted, found, changed and deleted; their issues stay", async () => {
    const server = await liveServer();
    const A = await server.agent(await server.register());
    const made = await server.call("POST", "/api/projects", {
      title: " Ship it ",
      description: "the release",
      lead_type: "agent",
      lead_id: A,
      due_date: "2027-01-31",
      resources: [repo("https://example.com/a.git", "main")],
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ title: "Ship it", status: "planned", lead_id: A, due_date: "2027-01-31", resource_count: 1, resources: [{ resource_type: "github_repo", resource_ref: { url: "https://example.com/a.git", ref: "main" }, position: 0 }] });
    const P = String(made.body["id"]);
    const I = String((await server.post("/api/issues", { title: "one", project_id: P, status: "done" }))["id"]);
    await server.post("/api/issues", { title: "two", project_id: P });
    expect(await server.get(`/api/projects/${P}`)).toMatchObject({ issue_count: 2, done_count: 1 });
    await project(server, { title: "Other", status: "paused" });
    expect(await server.get("/api/projects?status=paused")).toMatchObject({ total: 1, projects: [{ title: "Other" }] });
    expect(await server.get("/api/projects/search?q=RELEASE")).toMatchObject({ total: 1, projects: [{ id: P }] });
    expect(await server.put(`/api/projects/${P}`, { status: "in_progress", due_date: "", lead_id: null, lead_type: null })).toMatchObject({ status: "in_progress", due_date: null, lead_id: null, title: "Ship it" });
    expect((await server.get<{ issues: object[] }>(`/api/issues?project_id=${P}`)).issues).toHaveLength(2);
    expect((await server.call("DELETE", `/api/projects/${P}`)).status).toBe(204);
    expect(await server.get(`/api/issues/${I}`)).toMatchObject({ project_id: null });
    expect((await server.call("GET", `/api/projects/${P}`)).body).toEqual({ error: "project not found" });
  });

  it("keep their resources in order and refuse what cannot be one", async () => {
    const server = await liveServer();
    const P = await project(server);
    const path = `/api/projects/${P}/resources`;
    const first = await server.call("POST", path, { ...repo("https://example.com/a.git"), label: "A" });
    expect(first.status).toBe(201);
    const dir = { resource_type: "local_directory", resource_ref: { local_path: "/srv/app", daemon_id: "D" } };
    const second = await server.post<{ id: string }>(path, dir);
    expect(await server.get(path)).toMatchObject({ total: 2, resources: [{ label: "A", position: 0 }, { id: second.id, position: 1 }] });
    expect(await server.put(`${path}/${second.id}`, { label: "here", position: 5 })).toMatchObject({ label: "here", position: 5, resource_ref: { local_path: "/srv/app" } });
    for (const [body, status, error] of [
      [dir, 409, "this project already has a local directory on that daemon"],
      [{ resource_type: "local_directory", resource_ref: { local_path: "srv", daemon_id: "E" } }, 400, "resource_ref.local_path must be absolute"],
      [{ resource_type: "local_directory", resource_ref: { local_path: "/srv" } }, 400, "resource_ref of a local_directory needs local_path and daemon_id"],
      [repo("--upload-pack=x"), 400, "invalid repo url: --upload-pack=x"],
      [repo("https://example.com/a.git", "--x"), 400, "invalid resource_ref.ref"],
      [{ resource_type: "github_repo" }, 400, "resource_ref.url is required"],
      [{ resource_type: "cloud" }, 400, 'invalid resource_type "cloud"; valid values: github_repo, local_directory'],
    ] as const) {
      const answer = await server.call("POST", path, body);
      expect([answer.status, answer.body["error"]]).toEqual([status, error]);
    }
    const worktree = { resource_type: "local_directory", resource_ref: { local_path: "/srv", daemon_id: "old", execution_mode: "worktree" } };
    const old = await server.call("POST", path, worktree);
    expect([old.status, old.body]).toMatchObject([422, { code: "daemon_version_unsupported", current_version: "", min_version: "0.4.24" }]);
    expect((await server.call("DELETE", `${path}/${second.id}`)).status).toBe(204);
    expect((await server.call("DELETE", `${path}/${second.id}`)).body).toEqual({ error: "project resource not found" });
  });

  it("refuse a title, status, lead, date or project of an issue that does not exist", async () => {
    const server = await liveServer();
    for (const [body, error] of [
      [{}, "title is required"],
      [{ title: "x", status: "odd" }, 'invalid status "odd"; valid values: planned, in_progress, paused, completed, cancelled'],
      [{ title: "x", start_date: "2026-02-30" }, "invalid start_date format, expected YYYY-MM-DD"],
      [{ title: "x", lead_type: "member", lead_id: uuid() }, "lead_id does not refer to a member of this workspace"],
      [{ title: "x", lead_type: "agent" }, "lead_type and lead_id must be provided together"],
      [{ title: 1 }, "invalid request body"],
    ] as const) {
      const answer = await server.call("POST", "/api/projects", body);
      expect([answer.status, answer.body["error"]]).toEqual([400, error]);
    }
    const issue = await server.call("POST", "/api/issues", { title: "x", project_id: uuid() });
    expect([issue.status, issue.body]).toEqual([400, { error: "project not found in this workspace" }]);
  });

  it("count an equal title in another project as another issue", async () => {
    const server = await liveServer();
    const [one, two] = [await project(server), await project(server, { title: "Two" })];
    await server.post("/api/issues", { title: "same", project_id: one });
    expect((await server.call("POST", "/api/issues", { title: "same", project_id: two })).status).toBe(201);
    expect((await server.call("POST", "/api/issues", { title: "same", project_id: one })).status).toBe(409);
  });
});

describe("a claim in a project", () => {
  it("carries the project, its resources, and its repositories instead of the workspace's", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R);
    await server.call("PATCH", `/api/workspaces/${server.workspaceId}`, { repos: [{ url: "https://example.com/shared.git" }] });
    const P = await project(server, { description: "why", resources: [{ resource_type: "local_directory", resource_ref: { local_path: "/srv/app", daemon_id: "D" }, label: "app" }] });
    await server.issue(A, "no repository of its own", { project_id: P });
    const [first] = await server.claim([R]);
    expect(first).toMatchObject({ project_id: P, project_title: "Ship", project_description: "why", repos: [{ url: "https://example.com/shared.git" }], project_resources: [{ resource_type: "local_directory", resource_ref: { local_path: "/srv/app", daemon_id: "D" }, label: "app" }] });
    await server.post(`/api/projects/${P}/resources`, repo("https://example.com/own.git", "dev"));
    await server.issue(A, "with one", { project_id: P });
    const [second] = await server.claim([R]);
    expect(second?.["repos"]).toEqual([{ url: "https://example.com/own.git", ref: "dev" }]);
    await server.issue(A, "without a project");
    const [third] = await server.claim([R]);
    expect(third).not.toHaveProperty("project_id");
    const agent = { token: second?.auth_token ?? "" };
    expect((await server.call("GET", `/api/projects/${P}`, undefined, agent)).status).toBe(200);
    expect((await server.call("POST", "/api/projects", { title: "mine" }, agent)).status).toBe(201);
    expect((await server.call("POST", `/api/projects/${P}/resources`, repo("file:///etc"), agent)).status).toBe(403);
    expect((await server.call("POST", "/api/projects", { title: "x", resources: [repo("file:///etc")] }, agent)).status).toBe(403);
    expect((await server.call("DELETE", `/api/projects/${P}`, undefined, agent)).status).toBe(403);
  });

  it("is refused when the directory needs a worktree and the daemon has none", async () => {
    const server = await liveServer();
    const able = { headers: { "x-client-capabilities": "local-worktree-v1" } };
    const body = { workspace_id: server.workspaceId, daemon_id: "D", cli_version: "0.4.24", runtimes: [{ name: "Codex", type: "codex", status: "online" }] };
    const R = (await server.post<{ runtimes: { id: string }[] }>("/api/daemon/register", body, able)).runtimes[0]?.id ?? "";
    const A = await server.agent(R);
    const P = await project(server, { resources: [{ resource_type: "local_directory", resource_ref: { local_path: "/srv", daemon_id: "D", execution_mode: "worktree" } }] });
    const I = await server.issue(A, "x", { project_id: P });
    const refused = await server.call("POST", `/api/daemon/runtimes/${R}/tasks/claim`, {});
    expect(refused.status).toBe(422);
    expect(await server.get(`/api/issues/${I}/task-runs`)).toMatchObject([{ status: "cancelled", failure_reason: "local_directory_error" }]);
    await server.post(`/api/issues/${I}/rerun`);
    expect((await server.post<{ task: object }>(`/api/daemon/runtimes/${R}/tasks/claim`, {}, able)).task).toMatchObject({ project_id: P });
  });
});

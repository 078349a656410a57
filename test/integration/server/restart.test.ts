import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../../src/lib/platform/index.ts";
import { SCHEMA_V1 } from "../../../src/lib/server/db/schema.ts";
import { liveServer, stopHeld } from "../../support/live-server.ts";
import { tempDir } from "../../support/temp.ts";

describe("a restart of the server", () => {
  it("loses nothing of what was acknowledged, and fires a missed schedule once", async () => {
    const dataDir = join(tempDir("multica-restart-"), "server");
    const first = await liveServer({ dataDir });
    const R = await first.register();
    const A = await first.agent(R);
    const id = async (path: string, body: object) => String((await first.post(path, body))["id"]);
    const skill = await id("/api/skills", { name: "deploy", content: "x", files: [{ path: "a", content: "b" }] });
    const project = await id("/api/projects", { title: "p", resources: [{ resource_type: "github_repo", resource_ref: { url: "https://example.com/a.git" } }] });
    const squad = await id("/api/squads", { name: "s", leader_id: A });
    const pilot = await id("/api/autopilots", { title: "a", assignee_id: A, execution_mode: "run_only" });
    await first.post(`/api/autopilots/${pilot}/triggers`, { cron_expression: "* * * * *" });
    const chat = await id("/api/chat/sessions", { agent_id: A });
    await first.post(`/api/chat/sessions/${chat}/messages`, { content: "hello" });
    const form = new FormData();
    form.set("file", new Blob(["bytes"]), "a.txt");
    const upload = await fetch(`${first.url}/api/upload-file`, { method: "POST", headers: { authorization: `Bearer ${first.token}`, "x-workspace-id": first.workspaceId }, body: form });
    const file = String(((await upload.json()) as { id: string }).id);
    const request = await id(`/api/runtimes/${R}/local-skills/import`, { skill_key: "k" });
    await first.post("/api/daemon/heartbeat", { runtime_id: R, supports_batch_import: true });
    const until = first.clock.now();
    await stopHeld(first.server, first.clock);

    const second = await liveServer({ dataDir });
    await second.clock.advance(Math.max(0, until - second.clock.now()));
    const result = { status: "completed", skill: { name: "imported", content: "y" } };
    expect(await second.post(`/api/daemon/runtimes/${R}/local-skills/import/${request}/result`, result)).toEqual({ status: "ok" });
    expect(await second.get(`/api/runtimes/${R}/local-skills/import/${request}`)).toMatchObject({ status: "completed", skill: { name: "imported" } });
    expect(await second.get(`/api/skills/${skill}`)).toMatchObject({ files: [{ path: "a", content: "b" }] });
    expect(await second.get(`/api/projects/${project}/resources`)).toMatchObject({ total: 1 });
    expect(await second.get(`/api/squads/${squad}`)).toMatchObject({ leader_id: A });
    expect(await second.get(`/api/chat/sessions/${chat}/messages`)).toMatchObject([{ content: "hello" }]);
    const bytes = await fetch(`${second.url}/api/attachments/${file}/download`, { headers: { authorization: `Bearer ${second.token}` } });
    expect(await bytes.text()).toBe("bytes");
    await second.clock.advance(150_000);
    const { runs } = await second.get<{ runs: { status: string }[] }>(`/api/autopilots/${pilot}/runs`);
    expect(runs.filter((run) => run.status === "pending")).toHaveLength(1);
    expect(runs.every((run) => run.status === "pending" || run.status === "skipped")).toBe(true);
  });

  it("brings a database of the first schema up to date", async () => {
    const dataDir = join(tempDir("multica-restart-"), "server");
    mkdirSync(dataDir, { recursive: true });
    const db = openDatabase(join(dataDir, "server.sqlite"));
    db.exec(SCHEMA_V1);
    db.exec("PRAGMA user_version=1");
    db.close();
    const server = await liveServer({ dataDir });
    expect((await server.call("POST", "/api/skills", { name: "deploy" })).status).toBe(201);
    expect(await server.get("/api/autopilots")).toEqual({ autopilots: [], total: 0 });
  });
});

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../../src/lib/platform/index.ts";
import { SCHEMA_V1 } from "../../../src/lib/server/db/schema.ts";
import { SCHEMA_ATTACHMENTS } from "../../../src/lib/server/db/schema-attachments.ts";
import { SCHEMA_AUTOPILOTS } from "../../../src/lib/server/db/schema-autopilots.ts";
import { SCHEMA_CHAT } from "../../../src/lib/server/db/schema-chat.ts";
import { SCHEMA_PROJECTS } from "../../../src/lib/server/db/schema-projects.ts";
import { SCHEMA_REQUESTS } from "../../../src/lib/server/db/schema-requests.ts";
import { SCHEMA_SKILLS } from "../../../src/lib/server/db/schema-skills.ts";
import { SCHEMA_SQUADS } from "../../../src/lib/server/db/schema-squads.ts";
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

  it("keeps the schedules of a database that knew no webhooks", async () => {
    const dataDir = join(tempDir("multica-restart-"), "server");
    mkdirSync(dataDir, { recursive: true });
    const db = openDatabase(join(dataDir, "server.sqlite"));
    const steps = [SCHEMA_V1, SCHEMA_REQUESTS, SCHEMA_SKILLS, SCHEMA_PROJECTS, SCHEMA_SQUADS, SCHEMA_ATTACHMENTS, SCHEMA_CHAT, SCHEMA_AUTOPILOTS];
    for (const step of steps) db.exec(step);
    db.exec(`PRAGMA foreign_keys=OFF;
      INSERT INTO autopilot (id, workspace_id, title, assignee_type, assignee_id, execution_mode, created_by_type, created_by_id, owner_id, created_at, updated_at)
        VALUES ('p', 'w', 'x', 'agent', 'a', 'run_only', 'member', 'u', 'u', 1, 1);
      INSERT INTO autopilot_trigger (id, autopilot_id, kind, cron_expression, timezone, next_run_at, label, created_at, updated_at)
        VALUES ('t1', 'p', 'schedule', '0 3 * * *', 'UTC', 5, 'one', 1, 2), ('t2', 'p', 'schedule', '@daily', 'Asia/Kolkata', NULL, NULL, 1, 2);
      PRAGMA user_version=${steps.length};`);
    db.close();
    const { server } = await liveServer({ dataDir });
    await server.stop();
    const after = openDatabase(join(dataDir, "server.sqlite"));
    expect(after.prepare("SELECT id, kind, enabled, cron_expression, timezone, next_run_at, webhook_token, label, created_at, updated_at FROM autopilot_trigger ORDER BY rowid").all({})).toEqual([
      { id: "t1", kind: "schedule", enabled: 1, cron_expression: "0 3 * * *", timezone: "UTC", next_run_at: 5, webhook_token: null, label: "one", created_at: 1, updated_at: 2 },
      { id: "t2", kind: "schedule", enabled: 1, cron_expression: "@daily", timezone: "Asia/Kolkata", next_run_at: null, webhook_token: null, label: null, created_at: 1, updated_at: 2 },
    ]);
    expect(() => after.exec("INSERT INTO autopilot_trigger (id, autopilot_id, kind, created_at, updated_at) VALUES ('t3', 'p', 'schedule', 1, 1)")).toThrow();
    after.close();
  });
});

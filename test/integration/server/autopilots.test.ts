import { describe, expect, it } from "vitest";
import { type LiveServer, liveServer } from "../../support/live-server.ts";
import { uuid } from "../../../src/lib/core/index.ts";

type Run = { id: string; status: string; issue_id: string | null; task_id: string | null; source: string; reason_code?: string };

async function world(input: object = {}) {
  const server = await liveServer();
  const R = await server.register();
  const A = await server.agent(R);
  const body = { title: "Nightly", description: "look around", assignee_id: A, execution_mode: "run_only", ...input };
  const P = String((await server.post("/api/autopilots", body))["id"]);
  return { server, R, A, P };
}

const runs = async (server: LiveServer, P: string) => (await server.get<{ runs: Run[] }>(`/api/autopilots/${P}/runs`)).runs;

describe("autopilots", () => {
  it("are created, read, changed and deleted with their runs", async () => {
    const { server, A, P } = await world();
    const me = String((await server.get("/api/me"))["id"]);
    expect(await server.get(`/api/autopilots/${P}`)).toMatchObject({ autopilot: { id: P, title: "Nightly", status: "active", assignee_type: "agent", assignee_id: A, can_write: true, subscribers: [], next_run_at: null }, triggers: [] });
    expect((await server.call("PATCH", `/api/autopilots/${P}`, { status: "paused", subscribers: [{ user_type: "member", user_id: me }], project_id: null })).body).toMatchObject({ status: "paused", subscribers: [{ user_id: me }] });
    expect(await server.get("/api/autopilots?status=active")).toEqual({ autopilots: [], total: 0 });
    expect(await server.get("/api/autopilots?limit=1")).toMatchObject({ autopilots: [{ id: P }], total: 1 });
    const paused = await server.call("POST", `/api/autopilots/${P}/trigger`);
    expect([paused.status, paused.body]).toEqual([400, { error: "autopilot is not active" }]);
    await server.call("PATCH", `/api/autopilots/${P}`, { status: "active" });
    const run = await server.post<Run>(`/api/autopilots/${P}/trigger`);
    expect((await server.call("DELETE", `/api/autopilots/${P}`)).status).toBe(204);
    expect((await server.call("GET", `/api/autopilots/${P}`)).body).toEqual({ error: "autopilot not found" });
    expect((await server.call("GET", `/api/daemon/autopilot-runs/${run.id}/gc-check`)).body).toEqual({ error: "autopilot run not found" });
    expect(await server.get(`/api/daemon/tasks/${run.task_id ?? ""}/status`)).toEqual({ status: "cancelled" });
  });

  it("run at once as a task of their own, whose end is theirs", async () => {
    const { server, R, P } = await world();
    const run = await server.post<Run>(`/api/autopilots/${P}/trigger`, { payload: { why: "now" } }, { headers: { "idempotency-key": "k1" } });
    expect(run).toMatchObject({ status: "pending", source: "manual", issue_id: null, trigger_payload: { why: "now" } });
    expect((await server.post<Run>(`/api/autopilots/${P}/trigger`, {}, { headers: { "idempotency-key": "k1" } })).id).toBe(run.id);
    expect(await server.post(`/api/autopilots/${P}/trigger`)).toMatchObject({ status: "skipped", reason_code: "already_active", task_id: null });
    const [task] = await server.claim([R]);
    expect(task).toMatchObject({ id: run.task_id, kind: "autopilot", issue_id: "", autopilot_run_id: run.id, autopilot_id: P, autopilot_title: "Nightly", autopilot_description: "look around", autopilot_source: "manual", autopilot_trigger_payload: { why: "now" } });
    expect(await server.get(`/api/daemon/autopilot-runs/${run.id}/gc-check`)).toEqual({ status: "pending", completed_at: "0001-01-01T00:00:00Z" });
    await server.post(`/api/daemon/tasks/${task?.id}/start`);
    expect((await runs(server, P)).find((one) => one.id === run.id)?.status).toBe("running");
    await server.post(`/api/daemon/tasks/${task?.id}/complete`, { output: "all quiet" });
    expect((await runs(server, P)).find((one) => one.id === run.id)).toMatchObject({ status: "completed", result: { output: "all quiet" } });
    expect(await server.get(`/api/daemon/autopilot-runs/${run.id}/gc-check`)).toMatchObject({ status: "completed" });

    const second = await server.post<Run>(`/api/autopilots/${P}/trigger`);
    await server.claim([R]);
    await server.post(`/api/daemon/tasks/${second.task_id}/fail`, { error: "boom", failure_reason: "timeout" });
    expect((await runs(server, P))[0]).toMatchObject({ id: second.id, status: "failed", failure_reason: "boom", reason_code: "timeout" });
    expect(await server.get("/api/inbox")).toMatchObject([{ type: "autopilot_failed", title: "Nightly", body: "boom" }]);
    expect(await server.claim([R])).toEqual([]);
  });

  it("write an issue for their assignee, day after day under the same title", async () => {
    const { server, R, A } = await world();
    const me = String((await server.get("/api/me"))["id"]);
    const project = String((await server.post("/api/projects", { title: "Ship" }))["id"]);
    const P = String((await server.post("/api/autopilots", { title: "Triage", assignee_id: A, execution_mode: "create_issue", priority: "high", project_id: project, issue_title_template: "Triage {{date}} {{odd}}", subscribers: [{ user_id: me }] }))["id"]);
    const run = await server.post<Run>(`/api/autopilots/${P}/trigger`);
    const day = new Date(server.clock.now()).toISOString().slice(0, 10);
    expect(run).toMatchObject({ status: "issue_created" });
    expect(await server.get(`/api/issues/${run.issue_id}`)).toMatchObject({ title: `Triage ${day} {{odd}}`, assignee_id: A, priority: "high", project_id: project, origin_type: "autopilot", origin_id: run.id });
    const [task] = await server.claim([R]);
    expect(task).toMatchObject({ id: run.task_id, issue_id: run.issue_id, kind: "direct", project_id: project });
    expect(await server.post(`/api/autopilots/${P}/trigger`)).toMatchObject({ status: "issue_created" });
    await server.post(`/api/agents/${A}/archive`);
    expect(await server.post(`/api/autopilots/${P}/trigger`)).toMatchObject({ status: "failed", failure_reason: "cannot assign to archived agent" });
  });

  it("refuse what cannot be, and let an agent trigger only its person's", async () => {
    const { server, R, A, P } = await world();
    for (const [body, error] of [
      [{ title: "x" }, "assignee_id is required"],
      [{ assignee_id: A, execution_mode: "run_only" }, "title is required"],
      [{ title: "x", assignee_id: A }, 'invalid execution_mode ""; valid values: create_issue, run_only'],
      [{ title: "x", assignee_id: uuid(), execution_mode: "run_only" }, "assignee_id does not refer to an agent of this workspace"],
      [{ title: "x", assignee_id: A, assignee_type: "member", execution_mode: "run_only" }, "assignee_type must be 'agent' or 'squad'"],
      [{ title: "x", assignee_id: A, execution_mode: "run_only", subscribers: [{ user_id: uuid() }] }, "user_id does not refer to a member of this workspace"],
      [{ title: "x", assignee_id: A, execution_mode: "run_only", project_id: uuid() }, "project not found in this workspace"],
    ] as const) {
      const answer = await server.call("POST", "/api/autopilots", body);
      expect([answer.status, answer.body["error"]]).toEqual([400, error]);
    }
    for (const [body, error] of [
      [{ kind: "api" }, 'invalid kind "api"; valid values: schedule, webhook'],
      [{ kind: "schedule" }, "cron_expression is required"],
      [{ cron_expression: "nonsense" }, "invalid cron_expression"],
      [{ cron_expression: "0 0 31 2 *" }, "cron_expression never fires"],
      [{ cron_expression: "@daily", timezone: "Mars/Base" }, "invalid timezone"],
    ] as const) {
      const answer = await server.call("POST", `/api/autopilots/${P}/triggers`, body);
      expect([answer.status, answer.body["error"]]).toEqual([400, error]);
    }
    await server.issue(A);
    const [task] = await server.claim([R]);
    const agent = { token: task?.auth_token ?? "" };
    expect((await server.call("GET", `/api/autopilots/${P}`, undefined, agent)).status).toBe(200);
    expect((await server.call("POST", `/api/autopilots/${P}/trigger`, {}, agent)).body).toMatchObject({ status: "pending" });
  });
});

describe("an autopilot of a squad", () => {
  it("is run by the leader, ends as cancelled with its task, and passes to the leader with the squad's end", async () => {
    const { server, R, A } = await world();
    const S = String((await server.post("/api/squads", { name: "Core", leader_id: A }))["id"]);
    const P = String((await server.post("/api/autopilots", { title: "x", assignee_type: "squad", assignee_id: S, execution_mode: "run_only" }))["id"]);
    const run = await server.post<Run>(`/api/autopilots/${P}/trigger`);
    const [task] = await server.claim([R]);
    expect(task).toMatchObject({ id: run.task_id, agent_id: A, squad_id: S, is_leader_task: true });
    expect(String((task?.["agent"] as unknown as { instructions: string }).instructions)).toContain("# Squad Core");
    await server.post(`/api/tasks/${run.task_id}/cancel`);
    expect(await runs(server, P)).toMatchObject([{ status: "failed", failure_reason: "cancelled", reason_code: "cancelled" }]);
    expect(await server.get("/api/inbox")).toEqual([]);
    await server.call("DELETE", `/api/squads/${S}`);
    expect(await server.get(`/api/autopilots/${P}`)).toMatchObject({ autopilot: { assignee_type: "agent", assignee_id: A } });
    const next = await server.post<Run>(`/api/autopilots/${P}/trigger`);
    await server.post(`/api/agents/${A}/archive`);
    expect((await runs(server, P))[0]).toMatchObject({ id: next.id, status: "failed" });
    expect(await server.post(`/api/autopilots/${P}/trigger`)).toMatchObject({ status: "failed", reason_code: "target_unavailable" });
  });

  it("fails a run whose daemon was restarted, without a second attempt", async () => {
    const { server, R, P } = await world();
    const run = await server.post<Run>(`/api/autopilots/${P}/trigger`);
    await server.claim([R]);
    expect(await server.post(`/api/daemon/runtimes/${R}/recover-orphans`)).toEqual({ orphaned: 1, retried: 0 });
    expect(await runs(server, P)).toMatchObject([{ id: run.id, status: "failed", reason_code: "runtime_recovery" }]);
  });
});

describe("a schedule", () => {
  it("fires on the server's clock, once each time, and skips what was paused", async () => {
    const { server, R, P } = await world();
    const trigger = await server.post<{ id: string; next_run_at: string }>(`/api/autopilots/${P}/triggers`, { kind: "schedule", cron_expression: "*/10 * * * *", timezone: "UTC", label: "often" });
    const due = Date.parse(trigger.next_run_at);
    expect(due % 600_000).toBe(0);
    expect(await server.get(`/api/autopilots/${P}`)).toMatchObject({ autopilot: { trigger_kinds: ["schedule"], next_run_at: trigger.next_run_at }, triggers: [{ label: "often", enabled: true }] });
    await server.clock.advance(due - server.clock.now() - 1000);
    expect(await runs(server, P)).toEqual([]);
    await server.clock.advance(11_000);
    expect(await runs(server, P)).toMatchObject([{ source: "schedule", status: "pending", trigger_id: trigger.id }]);
    await server.post("/api/daemon/heartbeat", { runtime_id: R });
    const [task] = await server.claim([R]);
    expect(task).toMatchObject({ autopilot_source: "schedule", requesting_user_name: "Local user" });
    await server.post(`/api/daemon/tasks/${task?.id}/start`);
    await server.post(`/api/daemon/tasks/${task?.id}/complete`, { output: "" });
    await server.clock.advance(600_000);
    expect(await runs(server, P)).toMatchObject([{ status: "pending" }, { status: "completed" }]);

    await server.call("PATCH", `/api/autopilots/${P}`, { status: "paused" });
    await server.clock.advance(1_800_000);
    await server.call("PATCH", `/api/autopilots/${P}`, { status: "active" });
    await server.clock.advance(20_000);
    expect(await runs(server, P)).toHaveLength(2);
    const after = await server.get<{ triggers: { next_run_at: string }[] }>(`/api/autopilots/${P}`);
    expect(Date.parse(after.triggers[0]?.next_run_at ?? "")).toBeGreaterThan(server.clock.now() - 60_000);
  });

  it("can be switched off, moved and taken away", async () => {
    const { server, P } = await world();
    const { id } = await server.post<{ id: string }>(`/api/autopilots/${P}/triggers`, { cron_expression: "* * * * *" });
    const path = `/api/autopilots/${P}/triggers/${id}`;
    expect((await server.call("PATCH", path, { enabled: false, label: "off" })).body).toMatchObject({ enabled: false, label: "off", cron_expression: "* * * * *" });
    await server.clock.advance(180_000);
    expect(await runs(server, P)).toEqual([]);
    expect((await server.call("PATCH", path, { enabled: true, cron_expression: "@hourly", timezone: "Asia/Kolkata" })).body).toMatchObject({ enabled: true, cron_expression: "@hourly", timezone: "Asia/Kolkata" });
    expect((await server.call("DELETE", path)).status).toBe(204);
    expect((await server.call("DELETE", path)).body).toEqual({ error: "trigger not found" });
  });
});

import { createHmac } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openDatabase, systemClock } from "../../../src/lib/platform/index.ts";
import { startServer } from "../../../src/lib/server/index.ts";
import { announced } from "../../support/announced.ts";
import { liveServer } from "../../support/live-server.ts";
import { recordingLogger } from "../../support/recording-logger.ts";
import { tempDir } from "../../support/temp.ts";

interface Trigger {
  readonly id: string;
  readonly webhook_token: string;
  readonly webhook_path: string;
}

async function world() {
  const server = await liveServer();
  const R = await server.register();
  const A = await server.agent(R);
  const P = String((await server.post("/api/autopilots", { title: "On push", assignee_id: A, execution_mode: "run_only" }))["id"]);
  const trigger = await server.post<Trigger>(`/api/autopilots/${P}/triggers`, { kind: "webhook", label: "hook" });
  const path = `/api/autopilots/${P}/triggers/${trigger.id}`;
  const send = async (body: string, headers: Record<string, string> = {}, to = trigger.webhook_path) => {
    const response = await fetch(server.url + to, { method: "POST", body, headers });
    const text = await response.text();
    return { status: response.status, body: (text.startsWith("{") ? JSON.parse(text) : text) as Record<string, unknown> };
  };
  const runs = async () => (await server.get<{ runs: Record<string, unknown>[] }>(`/api/autopilots/${P}/runs`)).runs;
  return { server, R, A, P, trigger, path, send, runs };
}

describe("a webhook", () => {
  it("starts a run with what it is told, in its owner's name and without a credential", async () => {
    const { server, R, P, trigger, send, runs } = await world();
    expect(trigger).toMatchObject({ kind: "webhook", cron_expression: null, timezone: null, next_run_at: null, webhook_url: null, has_signing_secret: false, event_filters: [] });
    expect(trigger.webhook_token).toMatch(/^[0-9a-f]{64}$/);
    expect(trigger.webhook_path).toBe(`/api/webhooks/autopilots/${trigger.webhook_token}`);
    const answer = await send('{"ref":"main"}');
    expect(answer).toMatchObject({ status: 200, body: { status: "accepted" } });
    expect(await runs()).toMatchObject([{ id: answer.body["run_id"], source: "webhook", trigger_id: trigger.id, trigger_payload: { ref: "main" }, status: "pending" }]);
    const [task] = await server.claim([R]);
    expect(task).toMatchObject({ autopilot_run_id: answer.body["run_id"], autopilot_source: "webhook", autopilot_trigger_payload: { ref: "main" }, requesting_user_name: "Local user" });
    expect(await server.get(`/api/autopilots/${P}`)).toMatchObject({ autopilot: { trigger_kinds: ["webhook"], next_run_at: null }, triggers: [{ last_fired_at: expect.any(String) as unknown }] });
    // An empty body is an empty payload; what is no JSON starts nothing.
    expect((await send("")).body).toMatchObject({ status: "accepted" });
    expect(await send("not json")).toEqual({ status: 400, body: { error: "invalid request body" } });
    expect(await runs()).toHaveLength(2);
  });

  it("ignores, with success, what is not meant for a run", async () => {
    const { server, P, path, send, runs } = await world();
    const ignored = (reason: string) => ({ status: 200, body: { status: "ignored", reason } });
    await server.call("PATCH", path, { event_filters: [{ event: "push" }, { event: "issues", actions: ["opened"] }] });
    const issues = { "x-github-event": "issues" };
    expect(await send('{"action":"closed"}', issues)).toEqual(ignored("event_filtered"));
    expect(await send('{"event":"ping"}')).toEqual(ignored("event_filtered"));
    expect((await send('{"action":"opened"}', { ...issues, "x-github-delivery": "d1" })).body).toMatchObject({ status: "accepted" });
    expect(await send('{"action":"opened"}', { ...issues, "x-github-delivery": "d1" })).toEqual(ignored("duplicate_delivery"));
    expect((await send('{"event":"push"}')).body).toMatchObject({ status: "accepted" });
    await server.call("PATCH", path, { enabled: false });
    expect(await send('{"event":"push"}')).toEqual(ignored("trigger_disabled"));
    await server.call("PATCH", path, { enabled: true });
    await server.call("PATCH", `/api/autopilots/${P}`, { status: "paused" });
    expect(await send('{"event":"push"}')).toEqual(ignored("autopilot_not_active"));
    await server.call("PATCH", `/api/autopilots/${P}`, { status: "active" });
    expect(await runs()).toHaveLength(2);
  });

  it("wants a signature once it has a secret, and tells nobody the secret", async () => {
    const { server, P, path, send, runs } = await world();
    const secret = "correct horse";
    expect(await server.put(`${path}/signing-secret`, { signing_secret: secret })).toMatchObject({ has_signing_secret: true, signing_secret_hint: "orse" });
    expect(JSON.stringify(await server.get(`/api/autopilots/${P}`))).not.toContain(secret);
    const signed = (body: string, key = secret) => ({ "x-hub-signature-256": `sha256=${createHmac("sha256", key).update(body).digest("hex")}` });
    for (const headers of [{}, signed("{}", "wrong"), signed('{"a":1}'), { "x-hub-signature-256": "sha256=" }]) {
      expect(await send("{}", headers as Record<string, string>)).toEqual({ status: 401, body: { error: "invalid signature" } });
    }
    expect(await runs()).toEqual([]);
    expect((await send("{}", signed("{}"))).status).toBe(200);
    expect(await server.put(`${path}/signing-secret`, { signing_secret: null })).toMatchObject({ has_signing_secret: false, signing_secret_hint: null });
    expect((await send("{}")).status).toBe(200);
  });

  it("gets a new address, after which the old one is unknown; too much is refused", async () => {
    const { server, P, trigger, path, send, runs } = await world();
    const rotated = await server.post<Trigger>(`${path}/rotate-webhook-token`);
    expect(rotated).toMatchObject({ id: trigger.id, kind: "webhook" });
    expect(rotated.webhook_token).not.toBe(trigger.webhook_token);
    expect(await send("{}")).toEqual({ status: 404, body: { error: "webhook not found" } });
    expect((await send("{}", {}, rotated.webhook_path)).status).toBe(200);
    expect(await announced(server.url + rotated.webhook_path, 1024 * 1024 + 1)).toEqual({ status: 413, text: '{"error":"payload too large"}\n' });
    expect(await runs()).toHaveLength(1);
    expect((await server.call("PATCH", path, { cron_expression: "* * * * *" })).body).toEqual({ error: "a webhook has no schedule" });
    expect((await server.call("PATCH", path, { event_filters: [{ event: " " }] })).body).toEqual({ error: "invalid event_filters" });
    const schedule = await server.post<Trigger>(`/api/autopilots/${P}/triggers`, { cron_expression: "0 3 * * *" });
    for (const [method, rest] of [["POST", "rotate-webhook-token"], ["PUT", "signing-secret"]] as const) {
      expect((await server.call(method, `/api/autopilots/${P}/triggers/${schedule.id}/${rest}`, {})).body).toEqual({ error: "the trigger is not a webhook" });
    }
    await server.call("DELETE", path);
    expect((await send("{}", {}, rotated.webhook_path)).status).toBe(404);
  });

  it("belongs to its workspace, and its address to those who may change the autopilot", async () => {
    const { server, P, A, R, path } = await world();
    const other = String((await server.post("/api/workspaces", { name: "Other", slug: "other" }))["id"]);
    for (const [method, rest] of [["POST", "/rotate-webhook-token"], ["PUT", "/signing-secret"], ["PATCH", ""], ["DELETE", ""]] as const) {
      expect((await server.call(method, `${path}${rest}`, {}, { headers: { "x-workspace-id": other } })).status).toBe(404);
    }
    await server.issue(A);
    const [task] = await server.claim([R]);
    const agent = { token: task?.auth_token ?? "" };
    const address = async () => (await server.get<{ triggers: Record<string, unknown>[] }>(`/api/autopilots/${P}`, agent)).triggers[0];
    // The agent acts for the autopilot's owner; once its run has nobody known behind it, it acts for nobody.
    expect(await address()).toMatchObject({ has_webhook_token: true, webhook_token: expect.any(String) as unknown });
    const db = openDatabase(join(server.dataDir, "server.sqlite"));
    db.exec("UPDATE task SET originator_user_id = NULL");
    db.close();
    expect(await address()).toMatchObject({ has_webhook_token: true, webhook_token: null, webhook_path: null });
    expect((await server.call("POST", `${path}/rotate-webhook-token`, {}, agent)).status).toBe(403);
  });

  it("is not named in the log, whatever fails", async () => {
    const dataDir = join(tempDir(), "server");
    const { logger, lines } = recordingLogger();
    const server = await startServer({ dataDir, host: "127.0.0.1", port: 0, clock: systemClock, logger });
    onTestFinished(() => server.stop());
    const db = openDatabase(join(dataDir, "server.sqlite"));
    db.exec("ALTER TABLE autopilot_trigger RENAME TO away");
    db.close();
    expect((await fetch(`${server.url}/api/webhooks/autopilots/5ec7e7`, { method: "POST" })).status).toBe(500);
    expect([lines.length > 0, JSON.stringify(lines).includes("5ec7e7")]).toEqual([true, false]);
  });
});

import { describe, expect, it } from "vitest";
import { ModelCatalog } from "../../../src/lib/agents/index.ts";
import { RequestError } from "../../../src/lib/api/index.ts";
import type { DaemonApi } from "../../../src/lib/api/daemon-api.ts";
import type { DaemonConfig } from "../../../src/lib/config/index.ts";
import { type ActionParts, Actions } from "../../../src/lib/daemon/actions/actions.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

interface Sent {
  readonly kind: string;
  readonly runtimeId: string;
  readonly id: string;
  readonly body: Record<string, unknown>;
}

function world(changes: Partial<ActionParts> = {}) {
  const clock = new HeldClock();
  const home = tempDir();
  const runtimes = new RuntimeRegistry();
  runtimes.track("w", "W");
  runtimes.replace("w", [{ id: "r", name: "r", provider: "codex", profileId: null }]);
  const root = new AbortController();
  const state = { sent: [] as Sent[], failures: [] as unknown[] };
  const take = (kind: string) => (runtimeId: string, id: string, body: unknown) => {
    state.sent.push({ kind, runtimeId, id, body: body as Record<string, unknown> });
    const failure = state.failures.shift();
    return failure === undefined ? Promise.resolve() : Promise.reject(failure);
  };
  const api = { updateResult: take("update"), modelListResult: take("models"), localSkillsResult: take("skills"), skillImportResult: take("import") } as unknown as DaemonApi;
  const actions = new Actions({
    api,
    clock,
    logger: silentLogger,
    runtimes,
    rootSignal: root.signal,
    env: {},
    config: { stateDir: home } as DaemonConfig,
    home,
    catalog: new ModelCatalog(),
    heal: (entry) => Promise.resolve(entry),
    requestUpdate: async (action) => void (await action.report({ status: "failed", error: "this build has no release source: update it the way it was installed" })),
    ...changes,
  });
  return { clock, root, actions, state };
}

describe("what a heartbeat asks for", () => {
  it("is done once, however often and on whichever way it arrives, also after it ended", async () => {
    const { actions, state, clock } = world();
    const answer = { pending_local_skills: { id: "q" } };
    actions.apply("r", answer);
    actions.apply("r", answer);
    expect(actions.underWay).toBe(1);
    await waitFor("the answer", () => state.sent.length === 1 && actions.underWay === 0);
    actions.apply("r", answer);
    await clock.advance(60_000);
    expect(state.sent).toMatchObject([{ kind: "skills", runtimeId: "r", id: "q", body: { status: "completed", supported: true, skills: [], mcp_supported: true } }]);
  });

  it("takes the list of imports and not the single one when both are there [H-7]", async () => {
    const { actions, state } = world();
    actions.apply("r", { pending_local_skill_imports: [{ id: "1", skill_key: "a" }, { id: "2", skill_key: "../b" }], pending_local_skill_import: { id: "3", skill_key: "c" } });
    await waitFor("both answers", () => state.sent.length === 2);
    actions.apply("r", { pending_local_skill_import: { id: "4", skill_key: "c" } });
    await waitFor("the third", () => state.sent.length === 3);
    expect(state.sent.map(({ id }) => id).toSorted()).toEqual(["1", "2", "4"]);
    expect(state.sent.every(({ kind, body }) => kind === "import" && body["status"] === "failed")).toBe(true);
    expect(state.sent.find(({ id }) => id === "1")?.body["error"]).toBe("local skill not found");
  });

  it("is left to the server's time limit for a runtime we do not have, but an update is always answered", async () => {
    const { actions, state, clock } = world();
    actions.apply("gone", { pending_model_list: { id: "m" }, pending_local_skills: { id: "s" }, pending_update: { id: "u", target_version: "9.9.9" } });
    await waitFor("the update's answer", () => state.sent.length === 1);
    await clock.advance(10_000);
    expect(state.sent).toMatchObject([{ kind: "update", id: "u", body: { status: "failed", error: expect.stringContaining("no release source") } }]);
  });

  it("fails in words when the runtime has no agent", async () => {
    const { actions, state } = world();
    actions.apply("r", { pending_model_list: { id: "m" } });
    await waitFor("the answer", () => state.sent.length === 1);
    expect(state.sent[0]?.body).toMatchObject({ status: "failed", error: 'no agent configured for provider "codex"' });
  });

  it("keeps the newest feature flags and nothing that is none", () => {
    const { actions } = world();
    expect(actions.flags).toBeNull();
    actions.apply("r", { feature_flags: { version: 5, flags: { a: "on", b: 1 } } });
    actions.apply("r", { feature_flags: { version: 4, flags: { a: "off" } } });
    actions.apply("r", { feature_flags: "x" });
    expect(actions.flags).toEqual({ version: 5, flags: { a: "on" } });
  });
});

describe("the result of an action", () => {
  const refused = (status: number): RequestError => new RequestError("POST", "/x", status, "no");

  it("is sent at 0, 0.5, 2.5 and 6.5 s while the server is in trouble, then given up", async () => {
    const { actions, state, clock } = world();
    state.failures = Array.from({ length: 9 }, () => refused(503));
    const start = clock.monotonic();
    actions.apply("r", { pending_update: { id: "u", target_version: "1.2.3" } });
    const times: number[] = [];
    for (let at = 0; at <= 20_000; at += 500) {
      if (state.sent.length > times.length) times.push(clock.monotonic() - start);
      await clock.advance(500);
    }
    expect(times).toEqual([0, 500, 2500, 6500]);
    expect([actions.underWay, clock.pending]).toEqual([0, 0]);
  });

  it("is not repeated after an answer of the 4xx kind, is after a lost connection, and not when the daemon stops", async () => {
    const first = world();
    first.state.failures = [refused(404)];
    first.actions.apply("r", { pending_update: { id: "u", target_version: "1.2.3" } });
    await first.clock.advance(20_000);
    expect(first.state.sent).toHaveLength(1);
    const second = world();
    second.state.failures = [new Error("reset")];
    second.actions.apply("r", { pending_update: { id: "u", target_version: "1.2.3" } });
    await second.clock.advance(20_000);
    expect(second.state.sent).toHaveLength(2);
    const third = world();
    third.state.failures = [refused(500), refused(500)];
    third.actions.apply("r", { pending_update: { id: "u", target_version: "1.2.3" } });
    await third.clock.advance(0);
    third.root.abort();
    await third.clock.advance(20_000);
    expect(third.state.sent).toHaveLength(1);
    expect(third.clock.pending).toBe(0);
  });
});

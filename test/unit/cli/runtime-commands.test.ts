import { describe, expect, it } from "vitest";
import { deleteRuntime } from "../../../src/cli/runtime-delete.ts";
import { awaitUpdate } from "../../../src/cli/runtime-update.ts";
import { createLightHttp } from "../../../src/lib/api/light-http.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { answeringServer } from "../../support/answering-server.ts";

/** Waits for an update whose polls answer these statuses in turn, the last one for ever. */
async function waited(...statuses: string[]): Promise<unknown> {
  const clock = new HeldClock();
  let polls = 0;
  const api = { pollUpdate: (_runtime: string, id: string) => Promise.resolve({ id, status: statuses[Math.min(polls++, statuses.length - 1)] ?? "", error: "no space" }) };
  let settled: unknown;
  void awaitUpdate(api, { id: "u", status: "pending" }, { runtime: "r", clock, signal: new AbortController().signal }).then(
    (update) => (settled = [update.status, polls]),
    (error: unknown) => (settled = [error, polls]),
  );
  for (let step = 0; settled === undefined && step < 200; step += 1) await clock.advance(2000);
  return settled;
}

describe("runtime update --wait", () => {
  it("asks every two seconds until the update is completed, failed, or has had its five minutes", async () => {
    expect(await waited("running", "completed")).toEqual(["completed", 2]);
    expect(await waited("running", "failed")).toEqual([expect.objectContaining({ message: "no space", exit: 1 }), 2]);
    expect(await waited("timeout")).toEqual([expect.objectContaining({ message: "no space", exit: 1 }), 1]);
    expect(await waited("running")).toEqual([expect.objectContaining({ message: "the update is still under way after 5 minutes", exit: 1 }), 150]);
  });
});

describe("runtime delete", () => {
  it("finds the agents of a runtime also when the refusal that names them is too long to be kept", async () => {
    const many = Array.from({ length: 80 }, (_, at) => ({ id: `${"a".repeat(40)}${at}`, name: `Agent ${at}`, runtime_id: "r" }));
    const server = await answeringServer({
      "DELETE /api/runtimes/r": { status: 409, body: { error: "x", code: "runtime_has_active_agents", active_agents: many } },
      "GET /api/agents": { body: [...many, { id: "other", runtime_id: "s" }, { id: "gone", runtime_id: "r", archived_at: "2026-01-01T00:00:00Z" }] },
      "POST /api/runtimes/r/unbind-agents-and-delete": { body: { agents_unbound: 80, else: 1 } },
    });
    const http = createLightHttp({ serverUrl: server.url, token: "mul_x", platform: "cli", clientVersion: "1", os: "linux" });
    await expect(deleteRuntime(http, "r", false)).rejects.toMatchObject({ exit: 7, message: expect.stringContaining("Agent 79 (") as string });
    expect(await deleteRuntime(http, "r", true)).toEqual({ agents_unbound: 80 });
    expect(server.seen.at(-1)?.body).toEqual({ expected_active_agent_ids: many.map((agent) => agent.id) });
  });
});

import { describe, expect, it } from "vitest";
import { liveServer } from "../../support/live-server.ts";
import { uuid } from "../../../src/lib/core/index.ts";

describe("trace 5: checks before a directory is deleted", () => {
  it("tells found from unknown issues in one call", async () => {
    const server = await liveServer();
    const R = await server.register();
    const I = await server.issue(await server.agent(R));
    const unknown = uuid();
    const path = `/api/daemon/workspaces/${server.workspaceId}/issues/gc-check`;
    const { issues } = await server.post<{ issues: Record<string, unknown>[] }>(path, { issue_ids: [I, unknown] });
    expect(issues).toMatchObject([{ id: I, found: true, status: "todo" }, { id: unknown, found: false }]);
    expect(String(issues[0]?.["updated_at"])).toMatch(/Z$/);
    for (const [body, error] of [
      [{ issue_ids: ["x"] }, "invalid issue_id"],
      [{ issue_ids: Array.from({ length: 501 }, () => unknown) }, "too many issue_ids"],
      [{ issue_ids: "x" }, "invalid request body"],
      [{ issue_ids: [], pad: "x".repeat(64 * 1024) }, "invalid request body"],
    ] as const) {
      const answer = await server.call("POST", path, body);
      expect([answer.status, answer.body["error"]]).toEqual([400, error]);
    }
    const foreign = await server.call("POST", `/api/daemon/workspaces/${unknown}/issues/gc-check`, { issue_ids: [I] });
    expect([foreign.status, foreign.body]).toEqual([404, { error: "workspace not found" }]);
    const second = await server.post<{ id: string }>("/api/workspaces", { name: "other", slug: "other" });
    const elsewhere = await server.post(`/api/daemon/workspaces/${second.id}/issues/gc-check`, { issue_ids: [I] });
    expect(elsewhere).toEqual({ issues: [{ id: I, found: false }] });
  });
});

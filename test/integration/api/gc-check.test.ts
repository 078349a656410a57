import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type GcParentRef, createGcAsk } from "../../../src/lib/api/gc-check.ts";
import { createLightHttp } from "../../../src/lib/api/index.ts";

interface Asked {
  readonly path: string;
  readonly ids: readonly string[];
}

/** A server that answers as `answer` says and writes down what it was asked. */
async function server(answer: (asked: Asked, nth: number) => { status: number; body: unknown }) {
  const asked: Asked[] = [];
  const http = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const ids = text === "" ? [] : (JSON.parse(text) as { issue_ids: string[] }).issue_ids;
      const one = { path: `${request.method} ${request.url}`, ids };
      asked.push(one);
      const { status, body } = answer(one, asked.length);
      response.writeHead(status, { "Content-Type": typeof body === "string" ? "text/plain" : "application/json" });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void http.close());
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return { asked, ask: createGcAsk(createLightHttp({ serverUrl: url, token: "t", platform: "daemon", clientVersion: "1", os: "linux" })) };
}

const issue = (id: string): GcParentRef => ({ workspaceId: "w", kind: "issue", id });
const many = Array.from({ length: 1200 }, (_, at) => issue(`i${at % 700}`));
const states = (ids: readonly string[]): { issues: unknown[] } => ({ issues: ids.map((id) => ({ id, found: id !== "i1", status: "done", updated_at: "2026-01-01T00:00:00Z" })) });

describe("asking whether directories are still needed", () => {
  it("asks for 700 issues of 1200 roots in two batches (G-13)", async () => {
    const { ask, asked } = await server(({ ids }) => ({ status: 200, body: states(ids) }));
    const answers = await ask(many);
    expect(asked.map((one) => [one.path, one.ids.length])).toEqual([
      ["POST /api/daemon/workspaces/w/issues/gc-check", 500],
      ["POST /api/daemon/workspaces/w/issues/gc-check", 200],
    ]);
    expect([answers.size, answers.get("issue:i0"), answers.get("issue:i1")]).toEqual([
      700, { kind: "found", status: "done", changedAtMs: Date.UTC(2026, 0, 1) }, { kind: "not_found" },
    ]);
  });

  it("has no answer for a batch that fails, and does not ask its issues one by one (G-13)", async () => {
    const { ask, asked } = await server(({ ids }, nth) => (nth === 1 ? { status: 500, body: { error: "no" } } : { status: 200, body: states(ids) }));
    const answers = await ask(many);
    expect([asked.length, answers.size, answers.has("issue:i0"), answers.has("issue:i699")]).toEqual([2, 200, false, true]);
  });

  it("asks one by one for the rest of the process when the server has no batch route, and keeps what it cannot ask about (G-14)", async () => {
    const { ask, asked } = await server(({ path }) =>
      path.startsWith("POST") ? { status: 404, body: "404 page not found" }
        : path.includes("/issues/a/") ? { status: 404, body: { error: "issue not found" } }
          : path.includes("/issues/b/") ? { status: 404, body: "404 page not found" }
            : { status: 200, body: { status: "done", updated_at: "2026-01-01T00:00:00Z" } });
    const answers = await ask([issue("a"), issue("b"), issue("c")]);
    expect([answers.get("issue:a")?.kind, answers.get("issue:b")?.kind, answers.get("issue:c")?.kind]).toEqual(["not_found", "unknown", "found"]);
    await ask([issue("c")]);
    expect(asked.filter((one) => one.path.startsWith("POST"))).toHaveLength(1);
  });

  it("asks chats, runs and tasks at their own routes; the year 1 is no time, an error no answer (G-5)", async () => {
    const { ask, asked } = await server(({ path }) =>
      path.includes("chat-sessions") ? { status: 401, body: { error: "no" } }
        : { status: 200, body: { status: "failed", completed_at: "0001-01-01T00:00:00Z" } });
    const answers = await ask([
      { workspaceId: "w", kind: "chat", id: "c" }, { workspaceId: "w", kind: "autopilot_run", id: "r" }, { workspaceId: "w", kind: "quick_create", id: "t" },
    ]);
    expect(asked.map((one) => one.path)).toEqual(["GET /api/daemon/chat-sessions/c/gc-check", "GET /api/daemon/autopilot-runs/r/gc-check", "GET /api/daemon/tasks/t/gc-check"]);
    expect([...answers.values()]).toEqual([{ kind: "unknown" }, { kind: "found", status: "failed", changedAtMs: null }, { kind: "found", status: "failed", changedAtMs: null }]);
  });
});

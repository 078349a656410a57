// cli.md 4.10.4: how the lists of people are fetched, over real sockets that break and servers that fail.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { listPeople } from "../../../src/cli/people-lists.ts";
import { openSession } from "../../../src/cli/session.ts";
import { resolveContext } from "../../../src/lib/config/index.ts";
import { freePort } from "../../../src/lib/platform/index.ts";
import { tempDir } from "../../support/temp.ts";

const LISTS: Readonly<Record<string, unknown>> = {
  "/api/workspaces/w1/members": [{ user_id: "u1", name: "Ann", email: "ann@x" }],
  "/api/agents": [{ id: "a1", name: "Dev" }],
  "/api/squads": [{ id: "s1", name: "Core" }, { id: "s2", name: "Gone", archived_at: "2026-01-01T00:00:00Z" }],
};

function sessionOn(port: number) {
  const env = { MULTICA_TOKEN: "mul_x", MULTICA_SERVER_URL: `http://127.0.0.1:${port}`, MULTICA_WORKSPACE_ID: "w1" };
  const dir = tempDir();
  return openSession(resolveContext({ env, cwd: dir, home: dir, flags: {} }));
}

/** Answers the lists; `misbehave` may break the n-th request of a path (from 1): its socket is cut, or a status is the answer. */
async function peopleServer(misbehave: (path: string, nth: number) => "drop" | number | undefined) {
  const seen: string[] = [];
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    seen.push(path);
    const fault = misbehave(path, seen.filter((one) => one === path).length);
    if (fault === "drop") return void request.socket.destroy();
    response.writeHead(fault ?? 200, { "content-type": "application/json" });
    response.end(JSON.stringify(fault === undefined ? LISTS[path] : { error: `no ${path}` }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const count = (path: string): number => seen.filter((one) => one === path).length;
  return { session: sessionOn((server.address() as AddressInfo).port), seen, count };
}

const names = async (session: ReturnType<typeof sessionOn>) => (await listPeople(session)).map((one) => `${one.kind} ${one.name}`);

describe("listPeople", () => {
  it("asks again when a connection breaks, twice at most, and leaves archived squads out", async () => {
    const { session, count } = await peopleServer((path, nth) => (path === "/api/agents" && nth < 3 ? "drop" : undefined));
    expect(await names(session)).toEqual(["member Ann", "agent Dev", "squad Core"]);
    expect([count("/api/agents"), count("/api/squads")]).toEqual([3, 1]);
  });

  it("does not ask again after an answer, whatever its status, and goes on with the other lists", async () => {
    const { session, count } = await peopleServer((path) => (path === "/api/agents" ? 500 : undefined));
    expect(await names(session)).toEqual(["member Ann", "squad Core"]);
    expect(count("/api/agents")).toBe(1);
  });

  it("gives up a list whose connection breaks three times", async () => {
    const { session, count } = await peopleServer((path) => (path === "/api/squads" ? "drop" : undefined));
    expect(await names(session)).toEqual(["member Ann", "agent Dev"]);
    expect(count("/api/squads")).toBe(3);
  });

  it("tells every failure when all lists fail, with the class of the first", async () => {
    const status: Readonly<Record<string, number>> = { "/api/workspaces/w1/members": 403, "/api/agents": 404, "/api/squads": 404 };
    const { session } = await peopleServer((path) => status[path]);
    const text = "no permission: no /api/workspaces/w1/members; no /api/agents; no /api/squads";
    await expect(listPeople(session)).rejects.toMatchObject({ message: text, exit: 3 });
    await expect(listPeople(session, ["agent"])).rejects.toMatchObject({ status: 404, exit: 4 });
  });

  it("says once that nobody listens", async () => {
    await expect(listPeople(sessionOn(await freePort()))).rejects.toMatchObject({ code: "network_refused", exit: 6 });
  });
});

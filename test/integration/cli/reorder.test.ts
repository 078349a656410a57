// cli.md 5.8, `issue reorder`: where an issue goes in its column, against a server that records every write.
import { describe, expect, it } from "vitest";
import { runCli } from "../../support/cli.ts";
import { answeringServer } from "../../support/answering-server.ts";
import { placeOf, planMove } from "../../../src/cli/reorder.ts";
import { openSession } from "../../../src/cli/session.ts";
import { resolveContext } from "../../../src/lib/config/index.ts";
import { tempDir } from "../../support/temp.ts";
import type { Issue } from "../../../src/lib/wire/index.ts";

type Row = readonly [key: string, position: number, status?: string, project?: string];

async function board(rows: readonly Row[]) {
  const issues = rows.map(([key, position, status = "todo", project = null]) => ({ id: `id-${key}`, identifier: key, title: key, position, status, project_id: project }));
  const server = await answeringServer({
    ...Object.fromEntries(issues.map((one) => [`GET /api/issues/${one.identifier}`, { body: one }])),
    ...Object.fromEntries(issues.map((one) => [`PUT /api/issues/${one.id}`, ({ body }: { body: unknown }) => ({ body: { ...one, ...(body as object) } })])),
    "GET /api/issues": ({ query }) => {
      const column = issues.filter((one) => one.status === query.get("status") && (query.get("project_id") ?? one.project_id) === one.project_id).sort((a, b) => a.position - b.position);
      const offset = Number(query.get("offset"));
      return { body: { issues: column.slice(offset, offset + Number(query.get("limit"))), total: column.length } };
    },
  });
  const env = { MULTICA_TOKEN: "mul_x", MULTICA_SERVER_URL: server.url, MULTICA_WORKSPACE_ID: "w1" };
  const dir = tempDir();
  const session = openSession(resolveContext({ env, cwd: dir, home: dir, flags: {} }));
  const issue = (key: string): Issue => issues.find((one) => one.identifier === key) as unknown as Issue;
  return {
    server,
    plan: (key: string, place: Parameters<typeof planMove>[2]) => planMove(session, issue(key), place),
    run: (...args: string[]) => runCli(["issue", "reorder", ...args], { home: dir, env }),
    writes: () => server.seen.filter((one) => one.method === "PUT").map((one) => one.body),
  };
}

const at = (position: number) => ({ kind: "move", position });

describe("planMove", () => {
  it("goes above, below and between", async () => {
    const { plan } = await board([["A-1", 1], ["A-2", 9], ["A-3", 4.5, "todo"]]);
    expect(await plan("A-3", { kind: "top" })).toEqual(at(0));
    expect(await plan("A-3", { kind: "bottom" })).toEqual(at(10));
    expect(await plan("A-1", { kind: "before", ref: "A-2" })).toEqual(at(6.75));
    expect(await plan("A-2", { kind: "before", ref: "A-1" })).toEqual(at(0));
    expect(await plan("A-1", { kind: "after", ref: "A-2" })).toEqual(at(10));
  });

  it("writes nothing for an issue that is alone or stands there already", async () => {
    const { plan } = await board([["A-1", 1], ["A-2", 2], ["A-3", 1, "done"]]);
    expect(await plan("A-3", { kind: "top" })).toEqual({ kind: "alone" });
    for (const place of [{ kind: "top" }, { kind: "before", ref: "A-2" }] as const) expect(await plan("A-1", place)).toEqual({ kind: "unchanged" });
    for (const place of [{ kind: "bottom" }, { kind: "after", ref: "A-1" }] as const) expect(await plan("A-2", place)).toEqual({ kind: "unchanged" });
  });

  it("refuses another column, itself, and a gap that cannot be halved", async () => {
    const { plan } = await board([["A-1", 1], ["A-2", 2, "done"], ["A-3", 3, "todo", "p1"], ["A-4", 4, "todo", "p2"], ["A-5", 5], ["A-6", 5]]);
    await expect(plan("A-1", { kind: "after", ref: "A-2" })).rejects.toMatchObject({ code: "other_column", exit: 1, message: expect.stringMatching(/A-1 is in todo, A-2 in done/) as unknown });
    await expect(plan("A-3", { kind: "after", ref: "A-4" })).rejects.toThrow("different projects");
    await expect(plan("A-1", { kind: "after", ref: "A-1" })).rejects.toMatchObject({ exit: 2 });
    await expect(plan("A-1", { kind: "after", ref: "A-5" })).rejects.toMatchObject({ code: "no_room", exit: 1 });
  });

  it("reads a long column page by page", async () => {
    const { server, plan } = await board(Array.from({ length: 250 }, (_, at) => [`A-${at + 1}`, at + 1] as const));
    expect(await plan("A-1", { kind: "after", ref: "A-249" })).toEqual(at(249.5));
    expect(server.seen.filter((one) => one.path === "/api/issues").map((one) => one.query.get("offset"))).toEqual(["0", "100", "200"]);
  });
});

describe("placeOf", () => {
  it("wants exactly one place", () => {
    expect(placeOf({ before: "A-1" }, new Set(["before"]))).toEqual({ kind: "before", ref: "A-1" });
    expect(placeOf({ top: true }, new Set(["top", "output"]))).toEqual({ kind: "top" });
    for (const [flags, ...set] of [[{}], [{ top: true, bottom: true }, "top", "bottom"], [{ before: "" }, "before"], [{}, "top"], [{ after: "abcd" }, "after"]] as const) {
      expect(() => placeOf(flags, new Set(set))).toThrow();
    }
  });
});

describe("issue reorder", () => {
  it("sends the position and nothing else, and not at all when nothing moves", async () => {
    const { run, writes } = await board([["A-1", 1], ["A-2", 9], ["A-3", 12]]);
    const moved = await run("A-3", "--before", "A-2");
    expect([moved.code, JSON.parse(moved.stdout), writes()]).toMatchObject([0, { identifier: "A-3", position: 5 }, [{ position: 5 }]]);
    const same = await run("A-1", "--top");
    expect([same.code, same.stderr, writes().length]).toEqual([0, "A-1 stands there already.\n", 1]);
    const refused = await run("A-1", "--top=false");
    expect([refused.code, refused.stdout, writes().length]).toEqual([2, "", 1]);
  });
});

// cli.md 1.3, 1.4: the commands that agents are told to use, as an agent in its task types them. Real program, real server.
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { uuid } from "../../../src/lib/core/index.ts";
import { answeringServer } from "../../support/answering-server.ts";
import { runCli } from "../../support/cli.ts";
import { cliWorld } from "../../support/cli-world.ts";
import { tempDir } from "../../support/temp.ts";

// Each test starts dozens of processes one after the other.
vi.setConfig({ testTimeout: 90_000 });

interface Issue {
  readonly id: string;
  readonly identifier: string;
}

describe("a server that is older, or fails halfway", () => {
  it("costs no run: metadata are empty, what was done is not undone, what was not done is not claimed", async () => {
    const issue = { id: uuid(), identifier: "MUL-1", title: "T", status: "todo", priority: "none" };
    const at = `/api/issues/${issue.id}`;
    const label = uuid();
    const server = await answeringServer({
      "GET /api/issues/MUL-1": { body: issue },
      "POST /api/issues": { status: 201, body: issue },
      [`DELETE ${at}/labels/${label}`]: { status: 204 },
      [`GET ${at}/labels`]: { status: 500 },
      "POST /api/upload-file": { status: 500 },
    });
    const home = tempDir();
    writeFileSync(join(home, "a.txt"), "a");
    const env = { MULTICA_TOKEN: `mat_${"a".repeat(32)}`, MULTICA_SERVER_URL: server.url, MULTICA_WORKSPACE_ID: uuid(), MULTICA_TASK_ID: uuid() };
    const run = async (...args: string[]): Promise<unknown[]> => {
      const { code, stdout } = await runCli([...args, "--output", "json"], { home, env });
      return [code, stdout === "" ? "" : (JSON.parse(stdout) as unknown)];
    };
    expect(await run("issue", "metadata", "list", "MUL-1")).toEqual([0, {}]);
    expect(await run("issue", "metadata", "set", "MUL-1", "--key", "k", "--value", "v")).toEqual([4, ""]);
    expect(await run("issue", "label", "remove", "MUL-1", label)).toEqual([0, { detached: true }]);
    const made = await runCli(["issue", "create", "--title", "T", "--attachment", "a.txt"], { home, env });
    expect([made.code, JSON.parse(made.stdout), made.stderr]).toEqual([0, issue, expect.stringContaining("a.txt could not be attached to MUL-1")]);
    expect(await run("issue", "comment", "add", "MUL-1", "--content", "x", "--attachment", "a.txt")).toEqual([1, ""]);
    expect(server.seen.filter((one) => one.path.endsWith("/comments"))).toEqual([]);
  });
});

describe("an agent in a task on an issue", () => {
  it("reads and writes metadata, sub-issues, history and the search", async () => {
    const { server, agent, person, claim } = await cliWorld();
    const parent = await server.issue(agent, "Login page");
    const me = await claim();
    const { identifier: key } = await me.json<Issue>(["issue", "get", parent]);

    expect(await me.json(["issue", "metadata", "list", key])).toEqual({});
    expect(await me.json(["issue", "metadata", "set", key, "--key", "pr", "--value", "12"])).toEqual({ pr: 12 });
    expect(await me.json(["issue", "metadata", "set", key, "--key", "build", "--value", "7", "--type", "string"])).toEqual({ build: "7", pr: 12 });
    expect((await me.run(["issue", "metadata", "list", key])).stdout).toBe("KEY    VALUE  TYPE\nbuild  7      string\npr     12     number\n");
    expect((await me.run(["issue", "metadata", "get", key, "--key", "pr"])).stdout).toBe("12\n");
    expect((await person.json<{ issues: Issue[] }>(["issue", "list", "--metadata", "pr=12,build=\"7\""])).issues).toHaveLength(1);
    expect(await me.json(["issue", "metadata", "delete", key, "--key", "pr"])).toEqual({ build: "7" });
    await me.fails(["issue", "metadata", "get", key, "--key", "pr"], 4, "has no metadata");
    await me.fails(["issue", "metadata", "set", key, "--key", "no way", "--value", "x"], 5, "Invalid request");
    await me.fails(["issue", "metadata", "set", key, "--key", "k", "--value", "x", "--type", "number"], 2, "is not a number");
    await me.fails(["issue", "metadata", "list", "abcd1234"], 2, "part of a UUID");
    await me.fails(["issue", "metadata", "list", "MUL-9999"], 4, "not found");

    for (const [title, ...more] of [["Two", "--stage", "2"], ["None"], ["One", "--stage", "1", "--status", "done"]]) {
      await me.json(["issue", "create", "--title", title ?? "", "--parent", key, ...more]);
    }
    const children = await me.json<{ stages: object[]; unstaged: object[] }>(["issue", "children", key]);
    expect(children).toMatchObject({
      total: 3,
      stages: [{ stage: 1, total: 1, done: 1, issues: [{ title: "One" }] }, { stage: 2, total: 1, done: 0, issues: [{ title: "Two" }] }],
      unstaged: [{ title: "None" }],
    });
    const table = (await me.run(["issue", "subissues", key])).stdout.split("\n");
    expect(table.slice(0, 4).map((line) => line.split(/\s+/)[0])).toEqual(["STAGE", "1", "2", "-"]);

    expect(await me.json<Issue[]>(["issue", "search", "login"])).toMatchObject([{ identifier: key, match_source: "title" }]);
    expect((await me.run(["issue", "search", "nowhere"])).stdout).toBe("KEY  TITLE  STATUS  MATCH\n");
    await me.fails(["issue", "search", "  "], 2, "the query is empty");
    await me.json(["issue", "status", key, "in_review"]);
    const changes = await me.json<{ type: string; action: string }[]>(["issue", "timeline", key, "--activity-only", "--tail", "1"]);
    expect(changes).toMatchObject([{ type: "activity", details: { to: "in_review" } }]);
    expect((await me.run(["issue", "history", key, "--action", String(changes[0]?.action)])).stdout).toContain("→ in_review");
    expect(await me.json(["issue", "timeline", key, "--since", "2999-01-01T00:00:00Z"])).toEqual([]);
    await me.fails(["issue", "timeline", key, "--since", "yesterday"], 2, "is not an RFC 3339 time");
    expect(await me.json(["issue", "pull-requests", key])).toEqual([]);
    expect(await me.json(["issue", "usage", key])).toMatchObject({ task_count: 0 });
  });

  it("attaches files to issues and comments, and fetches them", async () => {
    const { server, agent, claim } = await cliWorld();
    const issue = await server.issue(agent);
    const me = await claim();
    writeFileSync(join(me.cwd, "log.txt"), "line\n");
    writeFileSync(join(me.cwd, "a,b.png"), Buffer.from([0x89, 0, 1]));
    const outside = join(tempDir(), "old.txt");
    writeFileSync(outside, "stale");
    symlinkSync(outside, join(me.cwd, "inside.txt"));

    const comment = await me.json<{ id: string }>(["issue", "comment", "add", issue, "--content", "Done.", "--attachment", "log.txt", "--attachment", '"a,b.png"']);
    const listed = await me.json<{ attachments: { id: string; filename: string; content_type: string }[] }[]>(["issue", "comment", "list", issue]);
    expect(listed[0]?.attachments.map((file) => [file.filename, file.content_type])).toEqual([["log.txt", "text/plain"], ["a,b.png", "image/png"]]);
    const id = listed[0]?.attachments[0]?.id ?? "";
    const fetched = await me.run(["attachment", "download", id, "-o", "files"]);
    const path = join(me.cwd, "files", "log.txt");
    expect([JSON.parse(fetched.stdout), fetched.stderr]).toEqual([{ id, filename: "log.txt", path, size: 5 }, `${path}\n`]);
    expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["line\n", 0o644]);
    await me.fails(["attachment", "download", uuid()], 4, "attachment not found");

    const add = ["issue", "comment", "add", issue, "--content", "x", "--attachment"];
    await me.fails([...add, "inside.txt"], 2, "--allow-external-file");
    await me.fails([...add, outside], 2, "outside the current directory");
    await me.fails([...add, "log.txt,gone.txt"], 2, "--attachment: gone.txt is not there");
    mkdirSync(join(me.cwd, "folder"));
    await me.fails([...add, "folder"], 2, "is not a file");
    await me.fails(["issue", "comment", "add", issue, "--content", `[log](${join(me.cwd, "log.txt")})`], 2, "--attachment");
    expect(await me.json<unknown[]>(["issue", "comment", "list", issue])).toHaveLength(1);
    expect((await server.get<{ attachments: unknown[] }>(`/api/issues/${issue}/attachments`)) as unknown).toHaveLength(2);
    const noted = await me.run([...add, "https://example.test/x.png"]);
    expect([noted.code, noted.stderr.includes("is a web address")]).toEqual([0, true]);

    const made = await me.run(["issue", "create", "--title", "With file", "--attachment", outside, "--allow-external-file", "--output", "json"]);
    expect(made.stderr).toBe("Uploaded old.txt.\n");
    expect(await server.get(`/api/issues/${(JSON.parse(made.stdout) as Issue).id}/attachments`)).toMatchObject([{ filename: "old.txt" }]);

    for (const verb of ["resolve", "unresolve"]) {
      const answer = await me.json<{ resolved_at: string | null }>(["issue", "comment", verb, comment.id]);
      expect([verb, answer.resolved_at !== null]).toEqual([verb, verb === "resolve"]);
    }
    await me.fails(["issue", "comment", "resolve", uuid()], 4, "comment not found");
  });

  it("looks people up and tells them of the issue; labels it", async () => {
    const { server, agent, claim, person } = await cliWorld();
    const issue = await server.issue(agent);
    const me = await claim();
    const members = await me.json<{ user_id: string; name: string }[]>(["workspace", "member", "list"]);
    expect((await me.run(["workspace", "member", "list"])).stdout.split("\n")[0]).toMatch(/^USER ID +NAME +EMAIL +ROLE$/);
    expect(await me.json(["issue", "subscriber", "add", issue, "--user-id", members[0]?.user_id ?? ""])).toEqual({ subscribed: true });
    expect((await me.run(["issue", "subscriber", "add", issue])).stderr).toContain("You will be told about");
    expect(await me.json<unknown[]>(["issue", "subscriber", "list", issue])).toHaveLength(2);
    expect(await me.json(["issue", "subscriber", "remove", issue, "--user", "dev"])).toEqual({ subscribed: false });
    expect((await me.run(["issue", "subscriber", "list", issue])).stdout).toContain(`member:${members[0]?.name ?? "?"}`);
    await me.fails(["issue", "subscriber", "add", issue, "--user", "x", "--user-id", "y"], 2, "exclude each other");
    await me.fails(["issue", "subscriber", "add", issue, "--user", ""], 2, "--user is empty");
    await me.fails(["issue", "subscriber", "add", issue, "--user", "Nobody"], 4, "Nobody");

    const label = await person.json<{ id: string }>(["label", "create", "--name", "bug", "--color", "#ff0000"]);
    expect(await me.json(["issue", "label", "add", issue, label.id.slice(0, 8)])).toMatchObject([{ id: label.id, name: "bug" }]);
    expect((await me.run(["issue", "label", "list", issue])).stdout).toMatch(/^ID +NAME +COLOR\n\S+ +bug +#ff0000\n$/);
    await me.fails(["issue", "label", "add", issue, "zz"], 2, "is not a label id");
    await me.fails(["issue", "label", "add", issue, "ffff"], 4, "no label begins with ffff");
    expect(await me.json(["issue", "label", "remove", issue, label.id])).toEqual([]);
  });
});

describe("a squad's leader in its task", () => {
  it("sees its squad and records what it decided", async () => {
    const { server, runtime, agent, claim, person } = await cliWorld();
    const worker = await server.agent(runtime, "Worker");
    const squad = await person.json<{ id: string }>(["squad", "create", "--name", "Core", "--leader", "dev", "--description", "All of it"]);
    expect(squad).toMatchObject({ leader_id: agent });
    await person.json(["squad", "member", "add", squad.id, "--member-id", worker, "--role", "coder"]);
    await server.post("/api/issues", { title: "Do it", assignee_type: "squad", assignee_id: squad.id });
    const me = await claim();
    expect(await me.json<unknown[]>(["squad", "list"])).toMatchObject([{ id: squad.id, member_count: 2 }]);
    expect((await me.run(["squad", "get", squad.id])).stdout).toContain("Core");
    const setRole = ["squad", "member", "set-role", squad.id, "--member-id", worker, "--role", "tester"];
    expect(await person.json([...setRole, "--member-type", "agent"])).toMatchObject({ role: "tester" });
    expect((await me.run(["squad", "member", "list", squad.id])).stdout).toContain("tester");
    await me.fails(setRole, 2, "--member-type is missing");
    await me.fails([...setRole, "--member-type", "robot"], 2, "--member-type must be one of");

    const done = await me.run(["squad", "activity", me.issueId, "no_action", "--reason", "Only thanks."]);
    expect([done.code, done.stdout]).toEqual([0, ""]);
    expect(done.stderr).toMatch(/^Recorded no_action for \S+\.\n$/);
    await me.fails(["squad", "activity", me.issueId, "maybe"], 2, "no_action");
    await person.fails(["squad", "activity", me.issueId, "action"], 3, "only the squad leader");
    expect(await person.json(["squad", "update", squad.id, "--name", "Core 2"])).toMatchObject({ name: "Core 2" });
    await person.fails(["squad", "update", squad.id], 2, "nothing to change");
    expect(await person.json(["squad", "member", "remove", squad.id, "--member-id", worker])).toEqual({ squad_id: squad.id, member_id: worker, removed: true });
    expect(await person.json(["squad", "delete", squad.id])).toEqual({ id: squad.id, deleted: true });
    await person.fails(["squad", "get", uuid()], 4, "squad not found");
  });
});

describe("an agent in a chat", () => {
  it("reads the conversation page by page and sends files with its reply", async () => {
    const { server, agent, claim, person } = await cliWorld();
    const { id } = await server.post<{ id: string }>("/api/chat/sessions", { agent_id: agent, title: "Help" });
    for (const content of ["first\nline", "second"]) await server.post(`/api/chat/sessions/${id}/messages`, { content });
    const me = await claim();
    const all = await me.json<{ messages: { text: string }[] }>(["chat", "history"]);
    expect(all.messages.map((message) => message.text)).toEqual(["first\nline", "second"]);
    const page = await me.json<{ messages: { text: string }[]; next_cursor: string }>(["chat", "history", "--limit", "1"]);
    expect(page.messages.map((message) => message.text)).toEqual(["second"]);
    const before = await me.json<{ messages: { text: string }[] }>(["chat", "history", "--before", page.next_cursor]);
    expect(before.messages.map((message) => message.text)).toEqual(["first\nline"]);
    expect((await me.run(["chat", "history", "--output", "table"])).stdout).toMatch(/^TS +ROLE +AUTHOR +TEXT\n.*first line\n.*second\n$/);
    expect(await me.json(["chat", "thread", "T1"])).toMatchObject({ thread_id: "T1", note: expect.stringContaining("no threads") as unknown });
    await person.fails(["chat", "history"], 3, "only available to a chat task");
    await me.fails(["chat", "history", "--before", "x"], 5, "cursor");
    await me.fails(["chat", "history", "--limit", "-1"], 2, "--limit");

    writeFileSync(join(me.cwd, "chart [1].png"), "png");
    const sent = await me.json<{ id: string; markdown_url: string }>(["attachment", "upload", "chart [1].png"]);
    expect(sent).toMatchObject({ filename: "chart [1].png", markdown: `![chart \\[1\\].png](${sent.markdown_url})` });
    expect((await me.json(["attachment", "download", sent.id]))["path"]).toBe(join(me.cwd, "chart [1].png"));
    await me.fails(["attachment", "upload", "gone.png"], 2, "gone.png is not there");
    await me.fails(["attachment", "upload", "https://example.test/x"], 2, "web address");
    await me.fails(["attachment", "upload", "chart [1].png", "--task", uuid()], 3, "task_id");
    await person.fails(["attachment", "upload", "x"], 2, "there is no task");
  });
});

describe("an agent in an autopilot's run, and in a quick create", () => {
  it("reads the autopilot", async () => {
    const { server, agent, claim } = await cliWorld();
    const { id } = await server.post<{ id: string }>("/api/autopilots", { title: "Nightly", assignee_id: agent, execution_mode: "run_only" });
    await server.post(`/api/autopilots/${id}/triggers`, { kind: "schedule", cron_expression: "0 3 * * *", timezone: "UTC" });
    await server.post(`/api/autopilots/${id}/trigger`);
    const me = await claim();
    expect(await me.json(["autopilot", "get", id])).toMatchObject({ autopilot: { id, title: "Nightly" }, triggers: [{ kind: "schedule", cron_expression: "0 3 * * *" }] });
    expect(await me.json(["autopilot", "get", id.slice(0, 6)])).toMatchObject({ autopilot: { id } });
    expect((await me.run(["autopilot", "get", id, "--output", "table"])).stdout).toMatch(/ASSIGNEE: +agent:Dev\n[\s\S]*0 3 \* \* \*/);
    expect(await me.json(["autopilot", "list", "--status", "active"])).toMatchObject({ autopilots: [{ id }], total: 1 });
    await me.fails(["autopilot", "get", id, "--show-secrets", "--output", "table"], 2, "--show-secrets needs");
    await me.fails(["autopilot", "get", uuid()], 4, "autopilot not found");
  });

  it("creates one issue that carries the files of the request", async () => {
    const { server, agent, claim } = await cliWorld();
    const form = new FormData();
    form.set("file", new File(["x"], "shot.png", { type: "image/png" }));
    const headers = { authorization: `Bearer ${server.token}`, "x-workspace-id": server.workspaceId };
    const { id } = (await (await fetch(`${server.url}/api/upload-file`, { method: "POST", body: form, headers })).json()) as { id: string };
    await server.post("/api/issues/quick-create", { agent_id: agent, prompt: "Fix the login", attachment_ids: [id] });
    const me = await claim();
    const env = { MULTICA_QUICK_CREATE_TASK_ID: me.taskId, MULTICA_QUICK_CREATE_ATTACHMENT_IDS: "not json" };
    await me.fails(["issue", "create", "--title", "Fix the login", "--output", "json"], 2, "MULTICA_QUICK_CREATE_ATTACHMENT_IDS", { env });
    const issue = await me.json<Issue>(["issue", "create", "--title", "Fix the login", "--attachment-id", id], { env: { ...env, MULTICA_QUICK_CREATE_ATTACHMENT_IDS: JSON.stringify([id]) } });
    expect(await server.get(`/api/issues/${issue.id}`)).toMatchObject({ origin_type: "quick_create", origin_id: me.taskId, attachments: [{ id, filename: "shot.png" }] });
    expect(existsSync(join(me.cwd, ".multica"))).toBe(false);
  });
});

// cli.md 5.9–5.19: projects, skills, agents, autopilots, profile and inbox, as people and agents type them. Real program, real server.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { uuid } from "../../../src/lib/core/index.ts";
import { cliWorld } from "../../support/cli-world.ts";

// Each test starts dozens of processes one after the other.
vi.setConfig({ testTimeout: 90_000 });

interface Named {
  readonly id: string;
}

describe("projects", () => {
  it("are made, found by their first digits, changed, given repositories and directories, and deleted", async () => {
    const { server, agent, person, claim } = await cliWorld();
    const project = await person.json<Named>(["project", "create", "--title", "Site", "--lead", "dev", "--repo", "https://example.test/a.git"]);
    expect(project).toMatchObject({ title: "Site", lead_type: "agent", lead_id: agent });
    const short = project.id.slice(0, 13);
    expect(await person.json(["project", "list"])).toMatchObject([{ id: project.id }]);
    expect((await person.run(["project", "list"])).stdout).toMatch(/^ID +TITLE +STATUS +LEAD +CREATED\n\S+ +Site +planned +agent:Dev /);
    expect((await person.run(["project", "get", short])).stderr).toContain("project resource list");
    expect(await person.json(["project", "update", short, "--due-date", "2027-01-31"])).toMatchObject({ title: "Site", due_date: "2027-01-31" });
    expect(await person.json(["project", "update", short, "--due-date", ""])).toMatchObject({ due_date: null });
    const status = await person.run(["project", "status", short, "paused"]);
    expect([status.stdout, status.stderr]).toEqual(["", "Site is now paused.\n"]);
    await person.fails(["project", "status", short, "wild"], 2, "paused");
    await person.fails(["project", "update", short], 2, "nothing to change");
    await person.fails(["project", "get", "ffffff"], 4, "no project begins with ffffff");
    expect(await person.json(["issue", "create", "--title", "In it", "--project", short])).toMatchObject({ project_id: project.id });

    const first = await person.json<Named>(["project", "resource", "add", short, "--url", "https://example.test/b.git", "--ref", "1234567", "--label", "B"]);
    expect(first).toMatchObject({ resource_type: "github_repo", resource_ref: { url: "https://example.test/b.git", ref: "1234567" }, label: "B" });
    expect(await person.json(["project", "resource", "update", short, first.id, "--default-branch-hint", "dev", "--ref", "", "--clear-label"])).toMatchObject({
      resource_ref: { url: "https://example.test/b.git", default_branch_hint: "dev" },
      label: null,
    });
    await person.fails(["project", "resource", "update", short, first.id, "--url", ""], 2, "--url is empty");
    await person.fails(["project", "resource", "add", short, "--type", "local_directory", "--local-path", "/srv"], 2, "needs --daemon-id");
    await person.fails(["project", "resource", "add", short, "--type", "other"], 2, "needs --ref");
    await server.issue(agent);
    const me = await claim();
    expect((await me.run(["project", "resource", "list", project.id])).stdout).toMatch(/^ID +TYPE +REF +LABEL\n\S+ +github_repo +https:\/\/example.test\/a.git\n/);
    await me.fails(["project", "resource", "add", project.id, "--url", "https://example.test/c.git"], 3, "no permission");
    expect(await person.json(["project", "resource", "remove", short, first.id])).toEqual({ id: first.id, deleted: true });
    expect(await person.json(["project", "delete", short])).toEqual({ id: project.id, deleted: true });
  });
});

describe("skills and agents", () => {
  it("are written byte for byte, given to agents and taken again; an agent's environment is for people", async () => {
    const { server, agent, person, claim } = await cliWorld();
    writeFileSync(join(person.cwd, "SKILL.md"), "a\\nb\r\n");
    writeFileSync(join(person.cwd, "bad.md"), Buffer.from([0xff, 0xfe]));
    const skill = await person.json<Named>(["skill", "create", "--name", "deploy", "--content-file", "SKILL.md"]);
    expect(await person.json(["skill", "get", skill.id])).toMatchObject({ name: "deploy", content: "a\\nb\r\n" });
    expect(await person.json(["skill", "update", skill.id, "--content", "c\\n", "--description", "How"])).toMatchObject({ content: "c\\n" });
    expect((await person.run(["skill", "list"])).stdout).toMatch(/^ID +NAME +DESCRIPTION +CREATED_AT\n\S+ +deploy +How /);
    await person.fails(["skill", "create", "--name", "x", "--content-file", "bad.md"], 2, "is not UTF-8");
    await person.fails(["skill", "create", "--name", "x", "--content-stdin"], 2, "empty text", { input: "" });
    await person.fails(["skill", "update", skill.id, "--config", "{secret"], 2, "--config is not JSON");
    const file = await person.json<Named>(["skill", "files", "upsert", skill.id, "--path", "run.sh", "--content-stdin"], { input: "x\n\n" });
    expect(file).toMatchObject({ path: "run.sh", content: "x\n\n" });
    expect((await person.run(["skill", "files", "list", skill.id])).stdout).toContain("run.sh");
    expect((await person.run(["skill", "files", "delete", skill.id, file.id])).code).toBe(0);

    expect(await person.json(["agent", "skills", "set", agent, "--skill-ids", skill.id])).toMatchObject([{ id: skill.id }]);
    expect((await person.run(["agent", "skills", "list", agent])).stdout).toContain("deploy");
    await person.fails(["agent", "skills", "add", agent, "--skill-ids", ""], 2, "names no skill");
    expect(await person.json(["agent", "skills", "set", agent, "--skill-ids", ""])).toEqual([]);
    expect(await person.json(["agent", "skills", "add", agent, "--skill-ids", skill.id])).toHaveLength(1);
    await person.fails(["skill", "delete", skill.id], 2, "--yes", { input: "" });
    expect((await person.run(["skill", "delete", skill.id, "--yes"])).stderr).toContain("Deleted skill");

    expect(await person.json(["agent", "env", "set", agent, "--custom-env-stdin"], { input: '{"B":"2","A":"1"}' })).toMatchObject({ custom_env: { A: "1", B: "2" } });
    expect((await person.run(["agent", "env", "get", agent, "--output", "table"])).stdout).toBe("KEY  VALUE\nA    1\nB    2\n");
    const refused = await person.run(["agent", "env", "set", agent, "--custom-env", '{"A":hunter2}']);
    expect([refused.code, refused.stderr.includes("hunter2")]).toEqual([2, false]);
    await person.fails(["agent", "env", "set", agent], 2, "--custom-env");
    await server.issue(agent);
    const me = await claim();
    await me.fails(["agent", "env", "get", agent], 3, "only available to human actors");
    expect((await me.run(["agent", "tasks", agent])).stdout).toContain(me.issueId);
    await person.json(["agent", "archive", agent]);
    expect(await person.json(["agent", "restore", agent])).toMatchObject({ id: agent, archived_at: null });
  });
});

describe("autopilots", () => {
  it("are made, scheduled, run, changed and deleted", async () => {
    const { agent, person } = await cliWorld();
    const made = await person.json<Named>(["autopilot", "create", "--title", "Nightly", "--agent", "dev", "--mode", "run_only", "--description", "Look."]);
    expect(made).toMatchObject({ assignee_type: "agent", assignee_id: agent, execution_mode: "run_only" });
    const add = ["autopilot", "trigger-add", made.id];
    const trigger = await person.json<Named>([...add, "--cron", "0 3 * * *", "--timezone", "UTC"]);
    await person.fails(add, 2, "needs --cron");
    await person.fails([...add, "--kind", "webhook", "--cron", "* * * * *"], 2, "takes neither");
    await person.fails([...add, "--cron", "whenever"], 5, "Invalid request");
    expect(await person.json(["autopilot", "trigger-update", made.id, trigger.id, "--enabled=false"])).toMatchObject({ enabled: false });
    await person.fails(["autopilot", "trigger-update", made.id, trigger.id], 2, "nothing to change");
    const run = await person.json<Named>(["autopilot", "trigger", made.id]);
    expect(await person.json(["autopilot", "runs", made.id, "--limit", "5"])).toMatchObject([{ id: run.id, source: "manual" }]);
    expect((await person.run(["autopilot", "runs", made.id])).stdout).toMatch(/^ID +SOURCE +STATUS +ISSUE +TRIGGERED_AT +COMPLETED_AT\n/);
    expect(await person.json(["autopilot", "update", made.id, "--status", "paused", "--subscriber", "local user"])).toMatchObject({ status: "paused", subscribers: [{ user_type: "member" }] });
    expect(await person.json(["autopilot", "update", made.id, "--clear-subscribers"])).toMatchObject({ subscribers: [] });
    await person.fails(["autopilot", "update", made.id, "--clear-subscribers", "--subscriber", "x"], 2, "exclude each other");
    await person.fails(["autopilot", "create", "--title", "x", "--agent", "dev", "--mode", "daily"], 2, "--mode must be one of");
    expect((await person.run(["autopilot", "trigger-delete", made.id, trigger.id])).code).toBe(0);
    expect((await person.run(["autopilot", "delete", made.id])).stderr).toContain("Deleted autopilot");
    await person.fails(["autopilot", "trigger", made.id], 4, "autopilot not found");
  });
});

describe("labels, the profile and the inbox", () => {
  it("are a person's to change", async () => {
    const { server, agent, person, claim } = await cliWorld();
    const label = await person.json<Named>(["label", "create", "--name", "bug", "--color", "#ff0000"]);
    expect(await person.json(["label", "update", label.id.slice(0, 13), "--color", "#00ff00"])).toMatchObject({ name: "bug", color: "#00ff00" });
    expect((await person.run(["label", "list"])).stdout).toMatch(/^ID +NAME +COLOR +CREATED\n/);
    await person.fails(["label", "create", "--name", "x", "--color", "red"], 5, "color");
    expect(await person.json(["label", "delete", label.id])).toEqual({ id: label.id, deleted: true });
    await person.fails(["label", "get", label.id], 4, "label not found");

    expect((await person.run(["user", "profile", "update", "--description", "One\\ntwo"])).stdout).toMatch(/PROFILE DESCRIPTION: +One two\n$/);
    expect(await person.json(["user", "profile", "get"])).toMatchObject({ profile_description: "One\ntwo" });
    expect((await person.run(["user", "profile", "update", "--clear"])).stdout).toContain("(not set)");
    await person.fails(["user", "profile", "update"], 2, "--clear");
    await person.fails(["user", "profile", "update", "--clear", "--description", "x"], 2, "--clear takes no text");

    const issue = await server.issue(agent);
    const me = await claim();
    await me.json(["issue", "comment", "add", issue, "--content", "Done."]);
    const [item] = await person.json<Named[]>(["inbox", "list", "--unread"]);
    expect(await person.json(["inbox", "count"])).toEqual({ count: 1 });
    expect(await person.json(["inbox", "read", item?.id ?? ""])).toMatchObject({ read: true });
    expect(await person.json(["inbox", "unread", item?.id ?? ""])).toMatchObject({ read: false });
    expect(await person.json(["inbox", "read-all"])).toEqual({ count: 1 });
    expect(await person.json(["inbox", "archive-all", "--read-only"])).toEqual({ count: 1 });
    expect((await person.run(["inbox", "list", "--archived"])).stdout).toMatch(/^ID +TYPE +TITLE +ISSUE STATUS +READ +CREATED\n\S+ /);
    expect(await person.json(["inbox", "unarchive", item?.id ?? ""])).toMatchObject({ archived: false });
    expect(await person.json(["inbox", "archive", item?.id ?? ""])).toMatchObject({ archived: true });
    await person.fails(["inbox", "read", uuid()], 4, "not found");
    await me.fails(["inbox", "list"], 3, "no permission");
    await me.fails(["user", "profile", "update", "--clear"], 3, "no permission");
  });
});

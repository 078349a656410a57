// cli.md 5.8, 5.11, 5.13, 5.15: custom properties, webhooks and imported skills, as people and agents type them.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { newerServer } from "../../../src/cli/newer-server.ts";
import { checkOptionType, chooseProperty, optionList } from "../../../src/cli/properties.ts";
import { encodeValue, propertyRows } from "../../../src/cli/property-values.ts";
import { openSession } from "../../../src/cli/session.ts";
import { importResult, skillFile } from "../../../src/cli/skill-import.ts";
import { searchSkills } from "../../../src/cli/skill-search.ts";
import { RequestError } from "../../../src/lib/api/errors.ts";
import { resolveContext } from "../../../src/lib/config/index.ts";
import type { Property } from "../../../src/lib/wire/index.ts";
import { propertyValueTable } from "../../../src/views/properties.ts";
import { answeringServer } from "../../support/answering-server.ts";
import { cliWorld } from "../../support/cli-world.ts";
import { tempDir } from "../../support/temp.ts";

// Each test starts a dozen processes one after the other.
vi.setConfig({ testTimeout: 90_000 });

interface Named {
  readonly id: string;
}

function sessionOn(url: string) {
  const dir = tempDir();
  return openSession(resolveContext({ env: { MULTICA_TOKEN: "mul_x", MULTICA_SERVER_URL: url, MULTICA_WORKSPACE_ID: "w1" }, cwd: dir, home: dir, flags: {} }));
}

describe("custom properties", () => {
  it("are made by people, and given values by agents, with names instead of ids", async () => {
    const { server, agent, person, claim } = await cliWorld();
    const made = await person.run(["property", "create", "--name", "Severity", "--type", "select", "--icon", "!", "--option", "High:#D73A4A", "--option", "Low"]);
    expect(made.stdout).toMatch(/^ID +ICON +NAME +TYPE +OPTIONS +USED +ARCHIVED\n\S+ +! +Severity +select +High, Low +0\n$/);
    const before = await person.json<Property>(["property", "get", "severity"]);
    const changed = await person.json<Property>(["property", "update", before.id, "--option", "low", "--option", "None", "--option", "High:#000000"]);
    const ids = (property: Property): (readonly [string, string])[] => (property.config?.options ?? []).map((one) => [one.name.toLowerCase(), one.id] as const);
    expect(ids(changed)).toEqual(expect.arrayContaining(ids(before)));
    expect(() => chooseProperty([changed], "Nope")).toThrow(expect.objectContaining({ exit: 4, suggestions: ["Properties: Severity."] }));
    expect(() => checkOptionType("text", ["A"])).toThrow(expect.objectContaining({ exit: 2 }));
    await person.json(["property", "create", "--name", "Reviewers", "--type", "multi_actor"]);

    const issue = await server.issue(agent);
    const me = await claim();
    const set = (name: string, value: string) => ["issue", "property", "set", issue, "--name", name, "--value", value];
    await me.fails(set("Severity", "Mid"), 2, "Options: low, None, High.");
    await me.json(set("severity", "HIGH"));
    expect((await me.run(set("Reviewers", "local user"))).stdout).toBe("NAME       VALUE       TYPE\nSeverity   High        select\nReviewers  Local user  multi_actor\n");
    await person.json(["property", "archive", "Severity"]);
    expect(await me.json(["issue", "property", "list", issue])).toMatchObject([
      { property_id: before.id, name: "Severity", type: "select", display: "High", archived: true },
      { name: "Reviewers", value: [expect.stringMatching(/^member:/)], display: "Local user" },
    ]);
    await me.fails(set("Severity", "Low"), 5, "the property is archived");
    expect(await person.json(["property", "list"])).toMatchObject([{ name: "Reviewers", usage_count: 1 }]);
    expect(await me.json(["issue", "property", "unset", issue, "--name", "Severity"])).toMatchObject([{ name: "Reviewers" }]);
    expect(await person.json(["property", "unarchive", "Severity"])).toMatchObject({ archived: false });
  });

  it("take every type's value as it is typed", async () => {
    const server = await answeringServer({ "GET /api/workspaces/w1/members": { body: [{ user_id: "u1", name: "Ann", email: "ann@x" }] } });
    const session = sessionOn(server.url);
    const options = [{ id: "o1", name: "A", color: "#000000" }, { id: "o2", name: "B", color: "#000000" }];
    const encode = (type: string, text: string) => encodeValue(session, { id: "p", name: "P", type, config: { options } }, text);
    const uuid = "0190d3c2-8d2a-7000-8000-0000000000ab";
    for (const [type, text, value] of [
      ["number", "2.5", 2.5], ["checkbox", "false", false], ["text", " a,b ", " a,b "], ["date", "2026-01-02", "2026-01-02"], ["url", "https://x", "https://x"],
      ["select", "o2", "o2"], ["select", "b", "o2"], ["multi_select", "b, A", ["o2", "o1"]], ["actor", "ann", "member:u1"], ["actor", `member:${uuid}`, `member:${uuid}`], ["multi_actor", `ann@x,member:${uuid}`, ["member:u1", `member:${uuid}`]],
    ] as const) {
      expect([type, text, await encode(type, text)]).toEqual([type, text, value]);
    }
    for (const [type, text] of [["number", "x"], ["number", " "], ["checkbox", "yes"], ["select", "C"], ["multi_select", ","], ["multi_select", "A,C"]] as const) {
      await expect(encode(type, text), `${type} ${text}`).rejects.toMatchObject({ exit: 2 });
    }
    await expect(encode("actor", "Bob")).rejects.toMatchObject({ exit: 4 });
    expect(optionList(["A:#FF0000", "a:b", "New"], options).map((one) => [one.id === "o1", one.name, one.color])).toEqual([[true, "A", "#ff0000"], [false, "a:b", "#6b7280"], [false, "New", "#6b7280"]]);
    for (const bad of [["A", "a"], [":#ff0000"], ["A:#red"]]) expect(() => optionList(bad)).toThrow();
  });

  it("are shown with names and marks; what cannot be looked up stands there as it is", async () => {
    const down = await answeringServer({});
    const options = [{ id: "o1", name: "A", color: "#000000" }];
    const property = (id: string, type: string): Property => ({ id, name: id.toUpperCase(), type, config: { options } });
    const catalogue = [property("c", "checkbox"), property("d", "checkbox"), property("m", "multi_select"), property("n", "number"), property("p", "actor"), property("unused", "text")];
    const rows = await propertyRows(sessionOn(down.url), catalogue, { n: 0, m: ["o1", "o9"], p: "member:u1", c: true, d: false, gone: ["x"] });
    expect(rows.map((row) => [row.name, row.display])).toEqual([["C", "✓"], ["D", "✗"], ["M", "A, o9"], ["N", "0"], ["P", "member:u1"], ["gone", '["x"]']]);
    expect(propertyValueTable(rows.slice(0, 2))).toBe("NAME  VALUE  TYPE\nC     ✓      checkbox\nD     ✗      checkbox\n");
  });

  it("are not found on servers that do not have them", async () => {
    for (const [status, body] of [[404, "404 page not found"], [405, ""]] as const) {
      await expect(newerServer("properties", Promise.reject(new RequestError("GET", "/x", status, body)))).rejects.toMatchObject({ exit: 4, message: expect.stringContaining("too old") as unknown });
    }
    await expect(newerServer("properties", Promise.reject(new RequestError("GET", "/x", 404, '{"error":"property not found"}')))).rejects.toMatchObject({ code: "http_status" });
  });
});

describe("a webhook", () => {
  it("is added, called, hidden, and given another address", async () => {
    const { person, server } = await cliWorld();
    const { id } = await person.json<Named>(["autopilot", "create", "--title", "On push", "--agent", "dev", "--mode", "run_only"]);
    const added = (await person.run(["autopilot", "trigger-add", id, "--kind", "webhook", "--output", "table"])).stdout;
    const url = added.trim().split("\n").at(-1) ?? "";
    expect(url).toMatch(new RegExp(`^${server.url}/api/webhooks/autopilots/[0-9a-f]{64}$`));
    expect((await fetch(url, { method: "POST", body: '{"ref":"main"}' })).status).toBe(200);
    expect(await person.json(["autopilot", "runs", id])).toMatchObject([{ source: "webhook", trigger_payload: { ref: "main" } }]);
    const hidden = await person.json<{ triggers: Named[] }>(["autopilot", "get", id]);
    expect(hidden.triggers).toMatchObject([{ webhook_token: null, webhook_path: null, has_webhook_token: true, webhook_token_hint: url.slice(-4) }]);
    const rotate = ["autopilot", "trigger-rotate-url", id, hidden.triggers[0]?.id.slice(0, 13) ?? ""];
    await person.fails(rotate, 2, "--yes", { input: "" });
    const rotated = await person.run([...rotate, "-y", "--output", "table"]);
    expect([rotated.code, rotated.stdout.includes("/api/webhooks/autopilots/"), rotated.stdout.includes(url)]).toEqual([0, true, false]);
    expect((await fetch(url, { method: "POST", body: "{}" })).status).toBe(404);
  });
});

describe("skill import", () => {
  it("takes a directory, meets a taken name as it is told, and refreshes what came from an address", async () => {
    const { person } = await cliWorld();
    const dir = join(person.cwd, "deploy");
    mkdirSync(join(dir, "scripts"), { recursive: true });
    writeFileSync(join(dir, "SKILL.md"), "---\ndescription: How\n---\nDo it.\n");
    writeFileSync(join(dir, "scripts", "run.sh"), "x");
    writeFileSync(join(dir, "logo.png"), "x");
    const made = await person.run(["skill", "import", "--file", "deploy", "--output", "json"]);
    expect([made.code, made.stderr]).toEqual([0, "Warning: logo.png is left out (binary by its name).\n"]);
    const { skill } = JSON.parse(made.stdout) as { skill: Named };
    expect(JSON.parse(made.stdout)).toMatchObject({ status: "created", skill: { name: "deploy", description: "How", files: [{ path: "scripts/run.sh" }] } });
    const again = await person.run(["skill", "import", "--file", "deploy", "--output", "json"]);
    expect([again.code, JSON.parse(again.stdout)]).toMatchObject([7, { status: "conflict", existing_skill: { id: skill.id } }]);
    expect(again.stderr).toContain("Error: a skill with this name already exists");
    const skipped = await person.run(["skill", "import", "--file", "deploy", "--on-conflict", "skip", "--output", "table"]);
    expect([skipped.code, skipped.stdout]).toEqual([0, `STATUS   NAME    ID\nskipped  deploy  ${skill.id}\n`]);
    await person.fails(["skill", "import"], 2, "exactly one of --file and --url");
    for (const [path, text] of [["gone", "gone is not there"], ["deploy/scripts", "there is no SKILL.md"]] as const) {
      await expect(skillFile(path, person.cwd, () => undefined)).rejects.toMatchObject({ exit: 2, message: expect.stringContaining(text) as unknown });
    }

    let text = "# One\n";
    const web = await answeringServer({ "GET /notes.md": () => ({ body: text }) });
    const fetched = await person.json<{ skill: Named }>(["skill", "import", "--url", `${web.url}/notes.md`]);
    text = "# Two\n";
    expect(await person.json(["skill", "refresh", fetched.skill.id])).toMatchObject({ name: "notes", content: "# Two\n" });
    await person.fails(["skill", "refresh", skill.id], 5, "was not imported from an address");
    const failed = await person.run(["skill", "import", "--url", `${web.url}/gone`, "--output", "json"]);
    expect([failed.code, JSON.parse(failed.stdout)]).toMatchObject([1, { status: "failed", reason: expect.stringContaining("404") as unknown }]);
    const none = await person.run(["skill", "search", "x"]);
    expect([none.code, none.stdout, none.stderr.includes("this server has no catalogue of skills")]).toEqual([1, "", true]);
  });

  it("understands older answers", async () => {
    const refused = (status: number, body: object) => Promise.reject(new RequestError("POST", "/api/skills/import", status, JSON.stringify(body)));
    expect(await importResult(Promise.resolve({ id: "s", name: "x" }))).toEqual({ result: { status: "created", skill: { id: "s", name: "x" } }, exit: 0 });
    const older = await importResult(refused(409, { error: "taken", existing_skill: { id: "s" } }));
    expect(older).toMatchObject({ exit: 7, result: { status: "conflict", existing_skill: { id: "s" }, reason: expect.stringMatching(/overwrite.*rename/) as unknown } });
    expect(await importResult(refused(403, { status: "failed", reason: "no" }))).toMatchObject({ exit: 1, result: { reason: "no" } });
    await expect(importResult(refused(400, { error: "url is required" }))).rejects.toMatchObject({ exit: 5 });
  });

  it("finds what the catalogue has", async () => {
    const server = await answeringServer({ "GET /api/skills/search": ({ query }) => ({ body: [{ name: query.get("q"), url: "https://x", source: "s", description: "" }] }) });
    expect(await searchSkills(sessionOn(server.url), "notes")).toMatchObject([{ name: "notes" }]);
    const down = await answeringServer({ "GET /api/skills/search": { status: 502, body: {} } });
    await expect(searchSkills(sessionOn(down.url), "x")).rejects.toMatchObject({ exit: 1, message: "the catalogue of skills cannot be reached" });
  });
});

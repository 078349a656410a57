import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

interface CommandFacts {
  readonly id: string;
  readonly summary?: string;
  readonly examples?: readonly unknown[];
  readonly hidden?: boolean;
  readonly relativePath: readonly string[];
}

type FlagFacts = Record<string, { char?: string; env?: string; multiple?: boolean; delimiter?: string; multipleNonGreedy?: boolean }>;

interface CommandType {
  readonly access?: string;
  readonly args?: Record<string, { ignoreStdin?: boolean }>;
  readonly flags?: FlagFacts;
  readonly baseFlags?: FlagFacts;
}

const root = join(import.meta.dirname, "../../..");
const manifest = JSON.parse(readFileSync(join(root, "oclif.manifest.json"), "utf8")) as { commands: Record<string, CommandFacts> };
const commands = Object.values(manifest.commands);

/** cli.md 3.6 and decision 8, by command id. What is not listed is an API command. */
const ACCESS: Readonly<Record<string, string>> = {
  version: "any",
  "repo:checkout": "any",
  "daemon:status": "any",
  // In a task they act on its own thread; the daemon sees to it.
  ...Object.fromEntries(["start", "list", "read", "logs", "write", "resize", "detach", "reattach", "kill", "clean", "gc", "attach"].map((verb) => [`exec:${verb}`, "any"])),
  // They refuse a task themselves: an operator may stand inside the workspaces root, where all looks like a task's.
  ...Object.fromEntries(["list", "inspect", "heal", "gc", "clean"].map((verb) => [`execenv:${verb}`, "any"])),
  "auth:status": "task-config",
  "config:show": "task-config",
  "config:get": "task-config",
  "config:set": "task-config",
  login: "human",
  logout: "human",
  quickstart: "human",
  "workspace:switch": "human",
  "runtime:profile:set-path": "human",
  "runtime:profile:unset-path": "human",
  ...Object.fromEntries(["setup:embedded", "daemon:disk-usage", "daemon:start", "daemon:stop", "daemon:restart", "daemon:logs", "daemon:probe-runtimes"].map((id) => [id, "human"])),
  ...Object.fromEntries(["cache:list", "cache:fetch", "cache:drop", "cache:verify", "rescue:list", "rescue:show", "rescue:restore", "rescue:drop"].map((verb) => [`repo:${verb}`, "human"])),
  ...Object.fromEntries(["session:list", "session:find", "session:show", "state:backfill", "state:check", "state:salvage", "state:status"].map((id) => [id, "human"])),
  ...Object.fromEntries(["start", "stop", "status", "logs", "token:create"].map((verb) => [`server:${verb}`, "human"])),
};

const SHORT: Readonly<Record<string, readonly string[]>> = { "daemon:logs": ["f", "n"], "server:logs": ["f", "n"], "exec:logs": ["f"], "attachment:download": ["o"], "autopilot:trigger-rotate-url": ["y"] };

/** The API commands by topic. */
const API: Readonly<Record<string, string>> = {
  issue: "list get create update assign status runs run-messages cancel-task rerun children search pull-requests timeline usage reorder",
  "issue:comment": "list add delete resolve unresolve",
  "issue:metadata": "list get set delete",
  "issue:label": "list add remove",
  "issue:property": "list set unset",
  "issue:subscriber": "list add remove",
  workspace: "list get create update",
  "workspace:member": "list",
  "workspace:mcp": "list add update remove",
  repo: "list add remove",
  runtime: "list usage activity update rename delete",
  "runtime:profile": "list create update delete",
  agent: "list get create update archive restore tasks avatar copy",
  "agent:skills": "list set add",
  "agent:env": "get set",
  "agent:mcp": "list add enable disable remove",
  skill: "list get create update delete import refresh search",
  "skill:files": "list upsert delete",
  project: "list get create update status delete",
  property: "list get create update archive unarchive",
  "project:resource": "list add update remove",
  "user:profile": "get update",
  inbox: "list count read unread archive unarchive read-all archive-all",
  squad: "list get create update delete activity",
  "squad:member": "list add remove set-role",
  autopilot: "list get create update delete trigger runs trigger-add trigger-update trigger-delete trigger-rotate-url",
  label: "list get create update delete",
  attachment: "download upload",
  chat: "history thread",
};

describe("every command", () => {
  it("is one of the tree, and none is missing", () => {
    const api = Object.entries(API).flatMap(([topic, verbs]) => verbs.split(" ").map((verb) => `${topic}:${verb}`));
    expect(commands.map((command) => command.id).sort()).toEqual([...api, ...Object.keys(ACCESS)].sort());
  });

  it.each(commands.map((command) => [command.id, command] as const))("%s states its access, helps, and follows the flag rules", async (id, command) => {
    const path = join(root, ...command.relativePath).replace("/dist/", "/src/").replace(/\.js$/, ".ts");
    const { default: type } = (await import(path)) as { default: CommandType };
    expect(Object.hasOwn(type, "access")).toBe(true);
    expect(type.access).toBe(ACCESS[id] ?? "api");
    expect(command.summary).toBeTruthy();
    expect(command.examples?.length).toBeGreaterThan(0);
    for (const arg of Object.values(type.args ?? {})) expect(arg.ignoreStdin).toBe(true);
    for (const flag of Object.values({ ...type.baseFlags, ...type.flags })) {
      expect(flag.env).toBeUndefined();
      expect(flag.delimiter).toBeUndefined();
      if (flag.char !== undefined) expect(SHORT[id]).toContain(flag.char);
      if (flag.multiple === true) expect(flag.multipleNonGreedy).toBe(true);
    }
  });

  it("is at most 80 lines long", () => {
    for (const command of commands) {
      const path = join(root, ...command.relativePath).replace("/dist/", "/src/").replace(/\.js$/, ".ts");
      expect([command.id, readFileSync(path, "utf8").split("\n").length <= 81]).toEqual([command.id, true]);
    }
  });
});

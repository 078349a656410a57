// Every `multica …` command that prompts, briefs and leaders' instructions name exists, takes the flags written there, and is open to tasks.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { renderBrief, type TaskContext } from "../../../src/lib/execenv/index.ts";

interface CommandFacts {
  readonly id: string;
  readonly aliases?: readonly string[];
  readonly args: Record<string, { required?: boolean }>;
  readonly flags: Record<string, { type: string }>;
}

const root = join(import.meta.dirname, "../../..");
const manifest = JSON.parse(readFileSync(join(root, "oclif.manifest.json"), "utf8")) as { commands: Record<string, CommandFacts> };
const golden = join(root, "test/unit/daemon/task/golden");
const leading = readFileSync(join(root, "src/lib/server/services/squads/leading.ts"), "utf8");

const task: TaskContext = { issueId: "0f6d3c1e-0000-4000-8000-0000000000b1", agentId: "a1", agentName: "Ada", squadLeader: true, repos: [{ url: "https://example.test/r.git" }], project: { id: "p", title: "P", resources: [] } };
const kinds: Readonly<Record<string, Partial<TaskContext>>> = {
  issue: {},
  autopilot: { issueId: undefined, autopilot: { runId: "r", id: "0f6d3c1e-0000-4000-8000-0000000000b2" } },
  "quick create": { issueId: undefined, quickCreatePrompt: "x" },
  chat: { chatSessionId: "c" },
};

const texts: (readonly [string, string])[] = [
  ...readdirSync(golden).map((name) => [name, readFileSync(join(golden, name), "utf8")] as const),
  ...Object.entries(kinds).map(([kind, more]) => [`brief: ${kind}`, renderBrief({ ...task, ...more })] as const),
  ["squad leader", leading.replaceAll("\\`", "`").replaceAll('\\"', '"')],
];

/** The command lines in a text: code spans and indented lines that begin with the program's name. */
function commandLines(text: string): string[] {
  const lines = [...text.matchAll(/`(multica [^`]+)`|^ {4}(multica .+)$/gm)].map((match) => match[1] ?? match[2] ?? "");
  return lines.flatMap(alternatives);
}

/** `metadata list\|set <issue>` stands for one line each. */
function alternatives(line: string): string[] {
  const match = /(?<= )([a-z-]+(?:\\?\|[a-z-]+)+)(?= |$)/.exec(line);
  if (match === null) return [line];
  return (match[1] ?? "").split(/\\?\|/).map((word) => line.replace(match[0], word));
}

/** The command a line means: as many of its words as there is a command for. */
function commandOf(line: string): { command: CommandFacts; rest: string[] } | undefined {
  const words = line.split(/ +/).slice(1);
  for (let count = Math.min(3, words.length); count > 0; count -= 1) {
    const id = words.slice(0, count).join(":");
    const command = manifest.commands[id] ?? Object.values(manifest.commands).find((one) => one.aliases?.includes(id));
    if (command !== undefined) return { command, rest: words.slice(count) };
  }
  return undefined;
}

/** Words that are no command on purpose: `multica --help`, `multica <command> --help`, the program's bare name. */
const general = (line: string): boolean => /^multica (?:--help|<command> --help)$/.test(line);

describe("what agents are told to run", () => {
  it("is found in the texts at all", () => {
    const all = new Set(texts.flatMap(([, text]) => commandLines(text).map((line) => commandOf(line)?.command.id)));
    for (const id of ["issue:get", "issue:children", "issue:metadata:delete", "squad:activity", "chat:thread", "attachment:upload", "autopilot:get", "exec:kill"]) expect(all).toContain(id);
  });

  it.each(texts)("exists with its flags and arguments: %s", async (_name, text) => {
    for (const line of commandLines(text).filter((candidate) => !general(candidate))) {
      const found = commandOf(line);
      expect([line, found !== undefined]).toEqual([line, true]);
      if (found === undefined) continue;
      const { command, rest } = found;
      const end = rest.indexOf("--");
      const flags = (end === -1 ? rest : rest.slice(0, end)).join(" ").match(/--[a-z][a-z-]*/g) ?? [];
      const unknown = flags.map((flag) => flag.slice(2)).filter((flag) => flag !== "help" && !(flag in command.flags));
      expect([line, unknown]).toEqual([line, []]);
      const { default: type } = (await import(join(root, "src/commands", `${command.id.replaceAll(":", "/")}.ts`))) as { default: { access: string } };
      expect([line, type.access === "api" || type.access === "any"]).toEqual([line, true]);
    }
  });
});

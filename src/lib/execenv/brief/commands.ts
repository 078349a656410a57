import { safeName } from "../../core/index.ts";
import { type StatusFact, type TaskContext, filled } from "../types.ts";

/** The commands an agent may count on (cli.md 1.3), for kinds that work on issues. */
export function commandSection(task: TaskContext): string {
  const lines = [
    "## Commands",
    "",
    "Add `--output json` where you parse the answer. Data is on stdout, messages for people are on stderr: never merge the two.",
    "A command that ended with status 0 did its work; do not repeat a write because of a warning.",
    "",
    "| Purpose | Command |",
    "|---|---|",
    ...ROWS.map(([purpose, command]) => `| ${purpose} | \`${command}\` |`),
  ];
  if (task.squadLeader === true) {
    lines.push('| record a leader\'s decision | `multica squad activity <issue> <action\\|no_action\\|failed> --reason "…"` |');
  }
  lines.push(...statusLines(task));
  lines.push("", "`multica --help` and `multica <command> --help` describe everything else; both work offline.");
  return lines.join("\n");
}

/** Statuses of the workspace's own, by the usual one each of them counts as. */
function statusLines(task: TaskContext): string[] {
  const { known = [], omitted = 0 } = task.statuses ?? {};
  const usable = known.filter((status) => /^[A-Za-z0-9_.-]+$/.test(status.key) && /^[A-Za-z0-9_.-]+$/.test(status.category));
  if (usable.length === 0) return [];
  const lines = ["", "This workspace has statuses of its own; `multica issue status` takes them by their key:", ""];
  for (const category of [...new Set(usable.map((status) => status.category))]) {
    const names = usable.filter((status) => status.category === category).map(statusName);
    lines.push(`- counts as ${category}: ${names.join(", ")}`);
  }
  if (omitted > 0) lines.push(`- and ${omitted} more`);
  return lines;
}

function statusName({ key, name, description }: StatusFact): string {
  const what = filled(description) ? `: ${safeName(description)}` : "";
  return `\`${key}\` (${safeName(name) || key}${what})`;
}

const ROWS: readonly (readonly [string, string])[] = [
  ["read an issue", "multica issue get <issue> --output json"],
  ["scan the discussion", "multica issue comment list <issue> --roots-only --summary --compact --output json"],
  ["read one thread", "multica issue comment list <issue> --thread <comment> --tail 30 --output json"],
  ["only what is new", "multica issue comment list <issue> --since <rfc3339> --output json"],
  ["post a comment", "multica issue comment add <issue> --content-file ./reply.md [--parent <comment>]"],
  ["set the status", "multica issue status <issue> <status>"],
  ["change fields", "multica issue update <issue> [--title …] [--priority …] [--description-file …]"],
  ["hand over", "multica issue assign <issue> --to <name>"],
  ["create an issue", "multica issue create --title … [--description-file …] [--parent <issue>] --output json"],
  ["sub-issues", "multica issue children <issue> --output json"],
  ["small facts of an issue", "multica issue metadata list\\|set\\|delete <issue> …"],
  ["check a repository out", "multica repo checkout <url> [--ref <branch-tag-or-commit>]"],
  ["run what must outlive this run", "multica exec start --keep --label <name> -- <command> …"],
  ["look at it, type, end it", "multica exec list\\|read\\|write\\|kill [<process>]"],
  ["fetch an attachment", "multica attachment download <attachment>"],
];

/** Quick create knows one command only. */
export function quickCreateCommands(): string {
  return [
    "## Commands",
    "",
    "One command belongs to this task, once: `multica issue create --title … --output json` (`multica issue create --help` lists its options).",
    "Do not run it a second time, whatever its exit status: the issue may exist already.",
  ].join("\n");
}

import type { AgentInput } from "../lib/wire/agents.ts";
import { isObject, parseJson } from "../lib/core/index.ts";
import { countFlag, listFlag, switchFlag, textFlag } from "./flags.ts";
import { usage } from "./resolve.ts";

/** The flags that `agent create` and `agent update` share (cli.md 5.12). */
export const agentFieldFlags = {
  description: textFlag("what the agent is for", { helpValue: "<text>" }),
  instructions: textFlag("what the agent is told at every run", { helpValue: "<text>" }),
  model: textFlag("model; empty takes the runtime's own", { helpValue: "<model>" }),
  "thinking-level": textFlag("thinking level; empty clears", { helpValue: "<level>" }),
  "custom-args": textFlag("extra arguments of the agent program, as a JSON array", { helpValue: "<json>" }),
  visibility: textFlag("who sees it", { options: ["private", "workspace"] }),
  "permission-mode": textFlag("who may use it", { options: ["private", "public_to"] }),
  "public-to-workspace": switchFlag("everyone in the workspace may use it"),
  "public-to-member": listFlag("this member may use it", "<user-id>"),
  "max-concurrent-tasks": countFlag("runs at once", { min: 1, max: 50 }),
};

export interface AgentFieldValues {
  readonly description?: string | undefined;
  readonly instructions?: string | undefined;
  readonly model?: string | undefined;
  readonly "thinking-level"?: string | undefined;
  readonly "custom-args"?: string | undefined;
  readonly visibility?: string | undefined;
  readonly "permission-mode"?: string | undefined;
  readonly "public-to-workspace"?: boolean;
  readonly "public-to-member"?: string[] | undefined;
  readonly "max-concurrent-tasks"?: number | undefined;
}

/** The body for the flags that were given. Bad JSON is refused without quoting it: it may hold a secret. */
export function agentFields(flags: AgentFieldValues): AgentInput {
  const body: AgentInput = {};
  if (flags.description !== undefined) body.description = flags.description;
  if (flags.instructions !== undefined) body.instructions = flags.instructions;
  if (flags.model !== undefined) body.model = flags.model;
  if (flags["thinking-level"] !== undefined) body.thinking_level = flags["thinking-level"];
  if (flags["custom-args"] !== undefined) body.custom_args = stringArray("--custom-args", flags["custom-args"]);
  if (flags.visibility !== undefined) body.visibility = flags.visibility;
  if (flags["max-concurrent-tasks"] !== undefined) body.max_concurrent_tasks = flags["max-concurrent-tasks"];
  const members = flags["public-to-member"] ?? [];
  const targets = [
    ...(flags["public-to-workspace"] === true ? [{ target_type: "workspace" }] : []),
    ...members.flatMap((value) => value.split(",")).map((id) => ({ target_type: "member", target_id: id.trim() })),
  ];
  if (flags["permission-mode"] === undefined && targets.length === 0) return body;
  return { ...body, permission_mode: flags["permission-mode"] ?? "public_to", invocation_targets: targets };
}

function stringArray(flag: string, text: string): string[] {
  const value = parseJson(text);
  if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) return value;
  throw usage(`${flag} must be a JSON array of strings`);
}

/** The custom environment as a JSON object of texts, from one source at most. Blank is an error, never a silent clear. */
export function customEnvironment(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  if (text.trim() === "") throw usage("the custom environment is blank", "{} clears it.");
  const value = parseJson(text);
  if (value === null) return {};
  if (isObject(value) && Object.values(value).every((entry) => typeof entry === "string")) return value as Record<string, string>;
  throw usage("the custom environment must be a JSON object with text values");
}

import type { AgentInput } from "../lib/wire/agents.ts";
import { parseJson } from "../lib/core/index.ts";
import { countFlag, listFlag, switchFlag, textFlag } from "./flags.ts";
import { jsonFlagValue } from "./json-value.ts";
import { usage } from "./resolve.ts";

/** The flags that `agent create`, `agent update` and `agent copy` share (cli.md 5.12). */
export const agentFieldFlags = {
  description: textFlag("what the agent is for", { helpValue: "<text>" }),
  instructions: textFlag("what the agent is told at every run", { helpValue: "<text>" }),
  model: textFlag("model; empty takes the runtime's own", { helpValue: "<model>" }),
  "thinking-level": textFlag("thinking level; empty clears", { helpValue: "<level>" }),
  "service-tier": textFlag("service tier; empty clears", { helpValue: "<tier>" }),
  "runtime-config": textFlag("settings for the agent program, as JSON", { helpValue: "<json>" }),
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
  readonly "service-tier"?: string | undefined;
  readonly "runtime-config"?: string | undefined;
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
  if (flags["service-tier"] !== undefined) body.service_tier = flags["service-tier"];
  if (flags["runtime-config"] !== undefined) body.runtime_config = jsonFlagValue("--runtime-config", flags["runtime-config"]);
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

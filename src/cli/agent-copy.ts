import type { Agent, AgentInput } from "../lib/wire/agents.ts";
import { asString, isObject } from "../lib/core/index.ts";
import { usage } from "./resolve.ts";

interface CopyChoices {
  readonly name: string | undefined;
  readonly runtimeId: string | undefined;
  /** What the flags say; it wins over the source's. */
  readonly fields: AgentInput;
  readonly skills: boolean;
}

/**
 * The body of a new agent made after another (cli.md 5.12). Model, thinking level and service tier belong to the runtime
 * and stay behind with it; environment, MCP and runtime configuration are never taken along.
 */
export function copiedAgent(source: Agent, choices: CopyChoices): AgentInput {
  const { fields, skills } = choices;
  const own = asString(source.runtime_id);
  const runtime = choices.runtimeId ?? own;
  if (runtime === "") throw usage(`${source.name} has no runtime`, "Give the copy one with --runtime-id (multica runtime list).");
  const same = runtime.toLowerCase() === own.toLowerCase();
  if (!same && fields.model === undefined) throw usage("a copy on another runtime needs --model", "An empty --model takes the runtime's own.");
  const permission = fields.permission_mode !== undefined || fields.visibility !== undefined;
  return {
    name: choices.name ?? `${source.name} (copy)`,
    runtime_id: runtime,
    ...texts(source, ["description", "instructions", "avatar_url", ...(same ? (["model", "thinking_level", "service_tier"] as const) : [])]),
    ...(source.custom_args?.length ? { custom_args: source.custom_args } : {}),
    ...concurrency(source.max_concurrent_tasks),
    ...(permission ? {} : permissionOf(source)),
    ...(skills ? { skill_ids: skillsOf(source) } : {}),
    ...fields,
  };
}

type TextKey = "description" | "instructions" | "avatar_url" | "model" | "thinking_level" | "service_tier";

function texts(source: Agent, keys: readonly TextKey[]): AgentInput {
  const body: AgentInput = {};
  for (const key of keys) if (asString(source[key]) !== "") body[key] = asString(source[key]);
  return body;
}

/** A count that no server would take stays behind: the default is better than a refusal. */
function concurrency(count: number | null | undefined): AgentInput {
  return typeof count === "number" && Number.isInteger(count) && count >= 1 && count <= 50 ? { max_concurrent_tasks: count } : {};
}

function permissionOf(source: Agent): AgentInput {
  if (!source.permission_mode) return source.visibility ? { visibility: source.visibility } : {};
  const targets: unknown = source["invocation_targets"];
  const list = (Array.isArray(targets) ? targets : []).flatMap((target: unknown) => {
    if (!isObject(target) || asString(target["target_type"]) === "") return [];
    const id = asString(target["target_id"]);
    return [{ target_type: asString(target["target_type"]), ...(id === "" ? {} : { target_id: id }) }];
  });
  return { permission_mode: source.permission_mode, invocation_targets: list };
}

/** Those that are switched on: in the copy they would all be. */
function skillsOf(source: Agent): string[] {
  const skills: unknown = source["skills"];
  return (Array.isArray(skills) ? skills : []).flatMap((skill: unknown) => (isObject(skill) && skill["enabled"] !== false && asString(skill["id"]) !== "" ? [asString(skill["id"])] : []));
}

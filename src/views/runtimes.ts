import type { Agent, AgentRuntime, RuntimeProfile, RuntimeUsage } from "../lib/wire/index.ts";
import { pairsText, tableText, timeText } from "./table.ts";

export function runtimeTable(runtimes: readonly AgentRuntime[]): string {
  return tableText(
    ["ID", "NAME", "MODE", "PROVIDER", "STATUS", "LAST_SEEN"],
    runtimes.map((one) => [one.id, one.custom_name || one.name, one.runtime_mode, one.provider, one.status, timeText(one.last_seen_at, 16)]),
  );
}

export function runtimeUsageTable(usage: readonly RuntimeUsage[]): string {
  return tableText(
    ["DATE", "PROVIDER", "MODEL", "INPUT_TOKENS", "OUTPUT_TOKENS", "CACHE_READ", "CACHE_WRITE"],
    usage.map((one) => [one.date, one.provider, one.model, one.input_tokens, one.output_tokens, one.cache_read_tokens, one.cache_write_tokens]),
  );
}

export function runtimeActivityTable(hours: readonly { readonly hour: number; readonly count: number }[]): string {
  return tableText(["HOUR", "COUNT"], hours.map((one) => [one.hour, one.count]));
}

export function profileTable(profiles: readonly RuntimeProfile[]): string {
  return tableText(
    ["ID", "DISPLAY_NAME", "PROTOCOL_FAMILY", "COMMAND_NAME", "ENABLED"],
    profiles.map((one) => [one.id, one.display_name, one.protocol_family, one.command_name, one.enabled]),
  );
}

export function agentTable(agents: readonly Agent[]): string {
  return tableText(
    ["ID", "NAME", "STATUS", "RUNTIME", "ARCHIVED"],
    agents.map((one) => [one.id, one.name, one.status, String(one["runtime_mode"] ?? ""), one.archived_at ? "yes" : ""]),
  );
}

export function agentDetails(agent: Agent): string {
  return pairsText([
    ["ID", agent.id],
    ["NAME", agent.name],
    ["STATUS", agent.status],
    ["RUNTIME", String(agent["runtime_mode"] ?? "")],
    ["VISIBILITY", agent.visibility],
    ["AVATAR_URL", String(agent["avatar_url"] ?? "")],
    ["DESCRIPTION", agent.description],
  ]);
}

import { classifyFailure } from "../../../core/index.ts";

const VAGUE: ReadonlySet<string> = new Set(["", "agent_error", "agent_error.unknown", "agent_error.process_failure"]);

/**
 * The reason that is stored for a failure a daemon reports: its own word, made more precise where the text proves it
 * (server-api.md 6.9, 12.6). An unknown reason stays as it is.
 */
export function storedReason(reported: string, errorText: string): string {
  const text = errorText.trim().toLowerCase();
  if (text.startsWith("resolve skill bundles:")) return "skill_bundle_unavailable";
  if (text.startsWith("opencode stream ended")) return "agent_error.provider_network";
  if (text.includes("prepare openclaw config") && text.includes("deadline exceeded")) return "runtime_cli_timeout";
  if (reported === "") return classifyFailure(errorText);
  const classified = VAGUE.has(reported) ? classifyFailure(errorText) : reported;
  return classified === "agent_error.context_overflow" ? classified : reported;
}

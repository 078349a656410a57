import type { UserApi } from "../../api/index.ts";
import { MulticaError, asString, isObject } from "../../core/index.ts";
import type { Clock } from "../../platform/index.ts";
import type { Agent, AgentRuntime } from "../../wire/index.ts";
import type { Cli } from "../cli.ts";

export interface AgentContext {
  readonly api: UserApi;
  readonly cli: Cli;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly workspaceId: string;
}

const RUNTIME_LIMIT_MS = 30_000;

/**
 * A runtime for the example agent: a profile of family `acp` whose command is set on this machine by `set-path`.
 * It is enabled only after that, so that the daemon never sees a profile it cannot start.
 */
export async function exampleRuntime(context: AgentContext, launcher: string): Promise<AgentRuntime> {
  const profile = await context.api.createProfile(context.workspaceId, {
    display_name: "Example agent",
    protocol_family: "acp",
    command_name: "echo-agent",
    enabled: false,
  });
  await context.cli.run(["runtime", "profile", "set-path", profile.id, "--path", launcher]);
  await context.api.updateProfile(context.workspaceId, profile.id, { enabled: true });
  return waitForRuntime(context, (runtime) => runtime.profile_id === profile.id, "the example agent's profile");
}

/** The runtime of a real agent that the daemon found on this machine. Throws `no_agent` with what it found instead. */
export async function foundRuntime(context: AgentContext, provider: string): Promise<AgentRuntime> {
  const status = await context.cli.run(["daemon", "status"]);
  const found = Array.isArray(status["agents"]) ? status["agents"].map(String) : [];
  if (!found.includes(provider)) {
    const skipped = isObject(status["skipped_agents"]) ? asString(status["skipped_agents"][provider]) : "";
    const why = skipped === "" ? "none was found on this machine" : skipped;
    throw new MulticaError("no_agent", `no ${provider} agent to work with: ${why}; ${found.length === 0 ? "no other agent was found either" : `found: ${found.join(", ")}`}`, {
      suggestions: [`Install ${provider} so that it is on your PATH, or leave --agent away to see the example agent.`],
    });
  }
  return waitForRuntime(context, (runtime) => runtime.provider === provider && (runtime.profile_id ?? "") === "", provider);
}

async function waitForRuntime(
  context: AgentContext,
  fits: (runtime: AgentRuntime) => boolean,
  what: string,
): Promise<AgentRuntime> {
  const limit = context.clock.monotonic() + RUNTIME_LIMIT_MS;
  for (;;) {
    const runtime = (await context.api.runtimes()).find((candidate) => candidate.status === "online" && fits(candidate));
    if (runtime !== undefined) return runtime;
    if (context.clock.monotonic() > limit) {
      throw new MulticaError("no_runtime", `the daemon did not register a runtime for ${what}`, {
        suggestions: ["Look at `multica daemon status` and the daemon's log: they name what was found and why not."],
      });
    }
    await context.clock.sleep(50, context.signal);
  }
}

export function createAgent(context: AgentContext, runtime: AgentRuntime): Promise<Agent> {
  return context.api.createAgent({
    name: "Quickstart",
    runtime_id: runtime.id,
    description: "Works on the first issue",
    visibility: "workspace",
  });
}

import { type ModelCatalog, findProvider } from "../../agents/index.ts";
import { errorText } from "../../core/index.ts";
import type { ModelListResult } from "../../wire/index.ts";
import type { DaemonContext } from "../context.ts";
import type { LaunchEntry, RuntimeEntry } from "../runtimes.ts";

export interface ModelParts extends Pick<DaemonContext, "clock" | "config" | "env" | "logger" | "runtimes" | "rootSignal"> {
  readonly catalog: ModelCatalog;
  /** The entry as it can be started now: its path may have been replaced (daemon.md 5.6). */
  heal(entry: LaunchEntry): Promise<LaunchEntry>;
}

/** The models of a runtime's agent, as a result for the server (daemon.md 17.4). Never throws. */
export async function modelListOf(parts: ModelParts, runtime: RuntimeEntry): Promise<ModelListResult> {
  const { catalog, clock, config, env, logger, runtimes, rootSignal } = parts;
  const known = runtimes.launchEntry(runtime.id);
  const spec = findProvider(runtime.provider);
  if (known === null || spec === undefined) return failed(`no agent configured for provider "${runtime.provider}"`);
  try {
    const { path: executable, fixedArgs } = await parts.heal(known);
    const listing = await catalog.list({ spec, executable, fixedArgs, env, cwd: config.stateDir, clock, signal: rootSignal });
    if (listing === null) return { status: "completed", models: [], supported: false };
    if (listing.fallback) logger.warn("the agent did not tell its models; a list of ours is sent", { provider: spec.id, executable });
    return { status: "completed", models: [...listing.models], supported: true, ...(listing.fallback ? { fallback: true } : {}) };
  } catch (error) {
    return failed(errorText(error));
  }
}

function failed(error: string): ModelListResult {
  return { status: "failed", models: [], supported: true, error };
}

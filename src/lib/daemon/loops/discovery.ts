import { errorText } from "../../core/index.ts";
import type { DaemonContext } from "../context.ts";
import type { Registrar } from "../register.ts";
import type { ProbeRound } from "../registration.ts";
import type { WorkspaceState } from "../runtimes.ts";

export interface DiscoveryParts extends Pick<DaemonContext, "clock" | "limits" | "logger" | "runtimes" | "rootSignal"> {
  readonly registrar: Pick<Registrar, "register">;
  /** Providers whose executable is there. */
  locate(): Promise<readonly string[]>;
  probe(): Promise<ProbeRound>;
}

const MOST_DOUBLINGS = 4;

/**
 * Finds agents that are installed while the daemon runs (daemon.md 5.7): a look at the file system every two minutes, and
 * programs are started only when a workspace lacks what was seen. Workspaces without any runtime are the sync loop's.
 */
export async function runDiscovery(parts: DiscoveryParts): Promise<void> {
  const { clock, limits, logger, rootSignal } = parts;
  const memory: Memory = { seen: new Set(), fruitless: 0, notBefore: 0 };
  while (!rootSignal.aborted) {
    try {
      await clock.sleep(limits.discovery, rootSignal);
      await lookOnce(parts, memory);
    } catch (error) {
      if (rootSignal.aborted) return;
      logger.warn("looking for new agents failed", { error: errorText(error) });
    }
  }
}

interface Memory {
  /** Providers of the last look. */
  seen: ReadonlySet<string>;
  /** Rounds in a row that led to nothing, and when the next one may begin (monotonic). */
  fruitless: number;
  notBefore: number;
}

async function lookOnce(parts: DiscoveryParts, memory: Memory): Promise<void> {
  const { clock, limits, runtimes } = parts;
  const located = await parts.locate();
  const appeared = located.some((provider) => !memory.seen.has(provider));
  memory.seen = new Set(located);
  const lacking = (): WorkspaceState[] => served(parts).filter((workspace) => located.some((provider) => !has(parts, workspace, provider)));
  const before = lacking().length;
  if (before === 0) {
    memory.fruitless = 0;
    memory.notBefore = 0;
    return;
  }
  if (!appeared && clock.monotonic() < memory.notBefore) return;
  const round = await parts.probe();
  let progress = false;
  for (const workspace of lacking()) {
    const missing = round.agents.filter((agent) => !has(parts, workspace, agent.provider));
    if (missing.length === 0 || runtimes.workspace(workspace.id) === undefined) continue;
    const outcome = await parts.registrar.register(workspace.id, round, { builtinsOnly: true });
    progress ||= outcome.kind === "registered";
    for (const { provider, version } of missing) parts.logger.info("agent CLI discovered after startup", { workspace: workspace.id, provider, version });
  }
  memory.fruitless = progress ? 0 : Math.min(memory.fruitless + 1, MOST_DOUBLINGS);
  memory.notBefore = progress ? 0 : clock.monotonic() + limits.discovery * 2 ** (memory.fruitless - 1);
}

function served({ runtimes }: DiscoveryParts): WorkspaceState[] {
  return runtimes.workspaces().filter((workspace) => workspace.runtimeIds.length > 0);
}

function has({ runtimes }: DiscoveryParts, workspace: WorkspaceState, provider: string): boolean {
  return workspace.runtimeIds.some((id) => {
    const runtime = runtimes.get(id);
    return runtime?.provider === provider && runtime.profileId === null;
  });
}

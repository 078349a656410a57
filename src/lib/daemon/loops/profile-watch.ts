import { errorText } from "../../core/index.ts";
import { isExecutableFile } from "../../platform/index.ts";
import type { DaemonContext } from "../context.ts";
import type { Registrar } from "../register.ts";
import type { WorkspaceState } from "../runtimes.ts";

export interface ProfileWatchParts extends Pick<DaemonContext, "clock" | "limits" | "logger" | "runtimes" | "rootSignal"> {
  readonly registrar: Pick<Registrar, "recheckProfiles">;
}

interface Memory {
  /** Commands that were gone at the last look. */
  gone: string;
  /** Rounds in a row that found nothing new, and when the next one may begin (monotonic). */
  fruitless: number;
  notBefore: number;
}

const MOST_DOUBLINGS = 4;

/**
 * Commands of runtime profiles come and go like other agents: one that is installed later is taken up, one that has gone is
 * told to the server, so that tasks wait for it and do not fail one by one. What is gone must be so at two looks: an upgrade
 * takes a file away for a moment.
 */
export class ProfileWatch {
  readonly #parts: ProfileWatchParts;
  readonly #memory = new Map<string, Memory>();

  constructor(parts: ProfileWatchParts) {
    this.#parts = parts;
  }

  /** One look at all workspaces. Throws only when the daemon ends. */
  async look(): Promise<void> {
    for (const workspace of this.#parts.runtimes.workspaces()) await this.#lookAt(workspace);
  }

  async #lookAt(workspace: WorkspaceState): Promise<void> {
    const { clock, limits, logger, registrar, rootSignal } = this.#parts;
    const gone = this.#goneOf(workspace);
    const memory = this.#memory.get(workspace.id) ?? { gone: "", fruitless: 0, notBefore: 0 };
    const stillGone = gone !== "" && gone === memory.gone;
    memory.gone = gone;
    if (gone === "" && workspace.failedProfiles.length === 0) {
      this.#memory.delete(workspace.id);
      return;
    }
    this.#memory.set(workspace.id, memory);
    if ((!stillGone && workspace.failedProfiles.length === 0) || clock.monotonic() < memory.notBefore) return;
    try {
      const changed = await registrar.recheckProfiles(workspace.id);
      memory.fruitless = changed ? 0 : Math.min(memory.fruitless + 1, MOST_DOUBLINGS);
      memory.notBefore = changed ? 0 : clock.monotonic() + limits.discovery * 2 ** (memory.fruitless - 1);
      if (changed) logger.info("commands of runtime profiles changed on this machine", { workspace: workspace.id });
    } catch (error) {
      rootSignal.throwIfAborted();
      logger.debug("commands of runtime profiles not checked", { workspace: workspace.id, error: errorText(error) });
    }
  }

  /** Commands of this workspace's profile runtimes that cannot be started any more. */
  #goneOf(workspace: WorkspaceState): string {
    const { runtimes } = this.#parts;
    const paths = workspace.runtimeIds.flatMap((id) => {
      const path = (runtimes.get(id)?.profileId ?? null) === null ? undefined : runtimes.launchEntry(id)?.path;
      return path === undefined || isExecutableFile(path) ? [] : [path];
    });
    return paths.sort().join("\n");
  }
}

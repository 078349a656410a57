import { readSettings, settingsPath } from "../../config/index.ts";
import { errorText } from "../../core/index.ts";
import { watchFile } from "../../platform/index.ts";
import type { DaemonContext } from "../context.ts";
import { Mailbox } from "../mailbox.ts";
import type { Registrar } from "../register.ts";

export interface SettingsParts extends Pick<DaemonContext, "config" | "clock" | "limits" | "logger" | "runtimes" | "rootSignal"> {
  readonly registrar: Pick<Registrar, "register" | "recoverOrphans">;
  /** Asks for a sync: it registers the workspaces that have no runtime yet. */
  requestSync(): void;
}

/**
 * Takes up the paths that `runtime profile set-path` writes while the daemon runs: registers again, so that the next task of
 * the profile starts the new command. Every other setting applies at the next start. Runs until the root signal aborts.
 */
export async function runSettings(parts: SettingsParts): Promise<void> {
  const { clock, config, limits, logger, rootSignal } = parts;
  const box = new Mailbox();
  const stop = watchFile(settingsPath(config.stateDir), { clock, pollMs: limits.settingsPoll, onChange: () => box.post() });
  let known = keyOf(config.profileCommands);
  try {
    while (!rootSignal.aborted) {
      const now = currentKey(parts);
      if (now !== undefined && now !== known) {
        known = now;
        logger.info("the paths of runtime profiles changed");
        await registerAgain(parts);
      }
      await box.wait(clock, Number.POSITIVE_INFINITY, rootSignal);
    }
  } finally {
    stop();
  }
}

async function registerAgain({ logger, registrar, requestSync, rootSignal, runtimes }: SettingsParts): Promise<void> {
  const served = runtimes.workspaces().filter((workspace) => workspace.runtimeIds.length > 0);
  if (served.length < runtimes.workspaces().length) requestSync();
  for (const workspace of served) {
    if (rootSignal.aborted) return;
    try {
      const outcome = await registrar.register(workspace.id, undefined, { recover: true });
      if (outcome.kind === "registered") await registrar.recoverOrphans(outcome.fresh);
    } catch (error) {
      if (!rootSignal.aborted) logger.warn("registering with the new paths failed", { workspace: workspace.id, error: errorText(error) });
    }
  }
}

/** Undefined while the file cannot be read: what was known stays. */
function currentKey({ config, logger }: SettingsParts): string | undefined {
  try {
    return keyOf(readSettings(config.stateDir).profile_command_overrides ?? {});
  } catch (error) {
    logger.warn("settings not readable; the known paths apply", { error: errorText(error) });
    return undefined;
  }
}

function keyOf(paths: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)));
}

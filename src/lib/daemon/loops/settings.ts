import { type Settings, readSettings, settingsPath } from "../../config/index.ts";
import { errorText } from "../../core/index.ts";
import { watchFile } from "../../platform/index.ts";
import type { DaemonContext } from "../context.ts";
import { Mailbox } from "../mailbox.ts";
import { type AdoptParts, adoptToken } from "../own-token.ts";
import type { Registrar } from "../register.ts";

export interface SettingsParts extends Pick<DaemonContext, "config" | "clock" | "limits" | "logger" | "runtimes" | "rootSignal"> {
  readonly registrar: Pick<Registrar, "register" | "recoverOrphans">;
  /** Asks for a sync: it registers the workspaces that have no runtime yet. */
  requestSync(): void;
  readonly adopt: AdoptParts;
}

/** What of the file is in use, or was found to be of no use. */
interface Known {
  paths: string;
  token: string;
  readonly serverUrl: string | undefined;
}

/** How soon a new token is tried again while the server is away, in milliseconds. */
const AGAIN_MS = 5000;

/**
 * Takes up, while the daemon runs, the paths that `runtime profile set-path` writes (registers again, so that the next task
 * of the profile starts the new command) and the token that `login` writes (what waits because the old one is refused goes
 * on). Every other setting applies at the next start. Runs until the root signal aborts.
 */
export async function runSettings(parts: SettingsParts): Promise<void> {
  const { clock, config, limits, logger, rootSignal } = parts;
  const box = new Mailbox();
  const stop = watchFile(settingsPath(config.stateDir), { clock, pollMs: limits.settingsPoll, onChange: () => box.post() });
  const known: Known = { paths: keyOf(config.profileCommands), token: config.token, serverUrl: current(parts)?.server_url };
  try {
    while (!rootSignal.aborted) {
      const settings = current(parts);
      const settled = settings === undefined || (await followToken(parts, known, settings));
      const paths = settings === undefined ? known.paths : keyOf(settings.profile_command_overrides ?? {});
      if (paths !== known.paths) {
        known.paths = paths;
        logger.info("the paths of runtime profiles changed");
        await registerAgain(parts);
      }
      await box.wait(clock, settled ? Number.POSITIVE_INFINITY : AGAIN_MS, rootSignal);
    }
  } finally {
    stop();
  }
}

/** False when a new token could not be tried yet. */
async function followToken({ adopt, logger }: SettingsParts, known: Known, settings: Settings): Promise<boolean> {
  const token = settings.token ?? "";
  if (token === "" || token === known.token) return true;
  if (settings.server_url !== known.serverUrl) {
    // It is another server's: this one must not see it.
    logger.warn("the settings name another server now; that applies at the next start of the daemon");
    known.token = token;
    return true;
  }
  const outcome = await adoptToken(adopt, token);
  if (outcome !== "later") known.token = token;
  return outcome !== "later";
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
function current({ config, logger }: SettingsParts): Settings | undefined {
  try {
    return readSettings(config.stateDir);
  } catch (error) {
    logger.warn("settings not readable; what was known applies", { error: errorText(error) });
    return undefined;
  }
}

function keyOf(paths: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)));
}

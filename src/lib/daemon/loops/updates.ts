import type { UpdateSettings } from "../../config/index.ts";
import { releaseTriple } from "../update/release.ts";
import type { UpdateParts, Updates } from "../update/updates.ts";

interface LoopParts extends Pick<UpdateParts, "clock" | "logger" | "rootSignal" | "managed" | "version" | "source"> {
  readonly settings: UpdateSettings;
  readonly updates: Pick<Updates, "checkRelease" | "checkReload">;
}

const FIRST_MS = 2 * 60_000;
const RELOAD_EVERY_MS = 10 * 60_000;

/** Looks for newer releases every now and then (daemon.md 16.2), unless that is off; says why it is. Runs until the root signal aborts. */
export async function runAutoUpdate(parts: LoopParts): Promise<void> {
  const { settings, managed, version, source, logger } = parts;
  const off = !settings.automatic ? "disabled" : managed ? "the desktop app updates this daemon" : releaseTriple(version) === null ? `${version} is not a release` : source === null ? "this build has no release source" : "";
  if (off !== "") logger.info("auto-update: off", { why: off });
  else await every(parts, settings.intervalMs, () => parts.updates.checkRelease());
}

/** Looks every ten minutes whether the program was replaced (daemon.md 16.3). Runs until the root signal aborts. */
export async function runSelfReload(parts: LoopParts): Promise<void> {
  const { settings, managed, logger } = parts;
  if (!settings.reload || managed) logger.info("self-reload: off", { why: managed ? "the desktop app updates this daemon" : "disabled" });
  else await every(parts, RELOAD_EVERY_MS, () => parts.updates.checkReload());
}

async function every({ clock, rootSignal }: LoopParts, intervalMs: number, check: () => Promise<void>): Promise<void> {
  for (let waitMs = FIRST_MS; !rootSignal.aborted; waitMs = intervalMs) {
    await clock.sleep(waitMs, rootSignal).catch(() => undefined);
    if (!rootSignal.aborted) await check();
  }
}

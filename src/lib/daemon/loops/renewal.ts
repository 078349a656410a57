import { isStatus } from "../../api/index.ts";
import { profileCommand } from "../../config/index.ts";
import { errorText } from "../../core/index.ts";
import type { DaemonContext } from "../context.ts";

type Parts = Pick<DaemonContext, "api" | "clock" | "limits" | "logger" | "profile" | "rootSignal">;

/**
 * Extends the daemon's token once (daemon.md 6.2). Never throws: a rejected token is a warning with the
 * way out, because the requests that follow tell whether the daemon can work.
 */
export async function renewToken(parts: Parts): Promise<void> {
  try {
    const answer = await parts.api.renewToken({ timeoutMs: parts.limits.renewTimeout, signal: parts.rootSignal });
    if (answer.renewed) parts.logger.info("auth token renewed", { expires_at: answer.expires_at });
    else parts.logger.debug("auth token not yet eligible for renewal", { expires_at: answer.expires_at });
  } catch (error) {
    if (isStatus(error, 401)) {
      const next = profileCommand(parts.profile, "login");
      parts.logger.warn(`auth token rejected by server; run \`${next}\`, and the daemon goes on`, { profile: parts.profile });
    } else {
      parts.logger.debug("auth token renewal failed", { error: errorText(error) });
    }
  }
}

/** Renews every three days until the root signal aborts; a 401 does not end it, the warning repeats. */
export async function runRenewal(parts: Parts): Promise<void> {
  while (!parts.rootSignal.aborted) {
    try {
      await parts.clock.sleep(parts.limits.renewEvery, parts.rootSignal);
    } catch {
      return;
    }
    await renewToken(parts);
  }
}

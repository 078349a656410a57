import type { DaemonApi } from "../api/daemon-api.ts";
import { isStatus } from "../api/index.ts";
import { profileCommand } from "../config/index.ts";
import { errorText } from "../core/index.ts";
import type { DaemonContext } from "./context.ts";

/** The daemon's token as every request reads it. */
export class OwnToken {
  #current: string;

  constructor(token: string) {
    this.#current = token;
  }

  get current(): string {
    return this.#current;
  }

  replace(token: string): void {
    this.#current = token;
  }
}

export interface AdoptParts extends Pick<DaemonContext, "profile" | "logger" | "runtimes" | "rootSignal"> {
  readonly token: OwnToken;
  /** The server's calls as somebody with this token makes them. */
  readonly apiWith: (token: string) => Pick<DaemonApi, "workspaces">;
  /** What was refused before is worth another try. */
  readonly onAdopted: () => void;
}

/**
 * Takes up a token that `login` wrote while the daemon runs. Only one that sees every workspace this daemon serves: with the
 * token of somebody else the server would know none of the waiting tasks, and their results would be given up.
 * `later` = nobody could say yet.
 */
export async function adoptToken(parts: AdoptParts, token: string): Promise<"adopted" | "refused" | "later"> {
  const { logger, profile, runtimes, rootSignal } = parts;
  try {
    const answer = await parts.apiWith(token).workspaces({ signal: rootSignal });
    const seen = new Set(answer.kind === "list" ? answer.workspaces.map((one) => one.id) : []);
    const missing = runtimes.workspaces().filter((one) => !seen.has(one.id));
    if (missing.length > 0) {
      logger.warn(`the new token does not see what this daemon serves; to use it, run \`${profileCommand(profile, "daemon restart")}\``, { workspaces: missing.length });
      return "refused";
    }
  } catch (error) {
    if (!isStatus(error, 401) && !isStatus(error, 403)) return "later";
    logger.warn("the new token is not accepted by the server; the old one stays", { error: errorText(error) });
    return "refused";
  }
  parts.token.replace(token);
  logger.info("the daemon's token changed; it is used from now on");
  parts.onAdopted();
  return "adopted";
}

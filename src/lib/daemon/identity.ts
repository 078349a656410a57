import { readdirSync } from "node:fs";
import { join } from "node:path";
import { EXIT, MulticaError, errorText, isUuid, uuid7 } from "../core/index.ts";
import { type Clock, ensureDir, readTextIfExistsNow, writeFileAtomic } from "../platform/index.ts";

export interface DaemonIdInput {
  /** From `--daemon-id` or `MULTICA_DAEMON_ID`: used as it is. */
  readonly pinned: string | undefined;
  /** The machine's state root, shared by all profiles. */
  readonly root: string;
  /** State directory of the active profile. */
  readonly stateDir: string;
  readonly clock: Pick<Clock, "now">;
}

/**
 * The identity of this machine's daemons, the same for every profile (daemon.md 4.1). A profile's own older id is
 * promoted once; anything unparsable is replaced. Throws `daemon_id_unreadable` when the file exists but cannot be read.
 */
export async function resolveDaemonId(input: DaemonIdInput): Promise<string> {
  if (input.pinned !== undefined && input.pinned.trim() !== "") return input.pinned.trim();
  const path = join(input.root, "daemon.id");
  const stored = readId(path);
  if (stored !== undefined) return stored;
  const promoted = input.stateDir === input.root ? undefined : readIdOrNothing(join(input.stateDir, "daemon.id"));
  const id = promoted ?? uuid7(input.clock.now());
  await ensureDir(input.root);
  await writeFileAtomic(path, `${id}\n`, { mode: 0o600 });
  return id;
}

/**
 * Earlier names of this machine, so that a server can merge older rows (daemon.md 4.2): host name variants,
 * then the ids left in profile directories; without duplicates and without the present id.
 */
export function legacyDaemonIds(input: { readonly hostname: string; readonly profile: string; readonly root: string; readonly daemonId: string }): string[] {
  const host = input.hostname.replace(/\.local$/, "");
  const names = host === "" ? [] : [host, `${host}.local`];
  const withProfile = input.profile === "" ? [] : names.map((name) => `${name}-${input.profile}`);
  const found = [...names, ...withProfile, ...profileIds(join(input.root, "profiles"))];
  return [...new Set(found)].filter((id) => id !== input.daemonId);
}

function profileIds(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort()
      .flatMap((name) => readIdOrNothing(join(directory, name, "daemon.id")) ?? []);
  } catch {
    return [];
  }
}

function readId(path: string): string | undefined {
  try {
    const text = readTextIfExistsNow(path)?.trim() ?? "";
    return isUuid(text) ? text : undefined;
  } catch (error) {
    throw new MulticaError("daemon_id_unreadable", `cannot read ${path}: ${errorText(error)}`, {
      cause: error,
      exit: EXIT.failed,
      suggestions: ["Make the file readable for you, or remove it to get a new identity."],
    });
  }
}

function readIdOrNothing(path: string): string | undefined {
  try {
    return readId(path);
  } catch {
    return undefined;
  }
}

import { dirname } from "node:path";
import { settingsPath } from "./paths.ts";
import { readRawSettings } from "./settings.ts";

export interface SettingsStore {
  readonly path: string;
  get(key: string): unknown;
  /** Writes the touched keys only; `undefined` removes a key. Nothing is written when nothing changes. */
  set(values: Readonly<Record<string, unknown>>): Promise<void>;
  unset(...keys: readonly string[]): Promise<void>;
  all(): Record<string, unknown>;
}

export interface StoreOptions {
  /** The task's private root when one is in use: directories from the file up to it get mode 0700 (cli.md 3.5). */
  readonly privateBelow?: string | undefined;
}

/**
 * Opens the settings of a profile for writing (conf: atomic, mode 0600, two-space JSON, unknown keys kept). Creates nothing
 * before the first `set`. Throws `settings_unreadable` for a file that cannot be read or parsed, and leaves it alone (decision 20).
 */
export function openSettingsStore(stateDir: string, options: StoreOptions = {}): Promise<SettingsStore> {
  const set = (values: Readonly<Record<string, unknown>>): Promise<void> => write(stateDir, values, options.privateBelow);
  return Promise.resolve().then(() => {
    readRawSettings(stateDir);
    return {
      path: settingsPath(stateDir),
      get: (key) => readRawSettings(stateDir)[key],
      set,
      unset: (...keys) => set(Object.fromEntries(keys.map((key) => [key, undefined]))),
      all: () => readRawSettings(stateDir),
    };
  });
}

async function write(stateDir: string, values: Readonly<Record<string, unknown>>, privateBelow: string | undefined): Promise<void> {
  const current = readRawSettings(stateDir);
  const touched = Object.entries(values).filter(([key, value]) => JSON.stringify(current[key]) !== JSON.stringify(value));
  if (touched.length === 0) return;
  // Loaded here, not above: these two cost more than a whole reading command.
  const [{ default: Conf }, platform] = await Promise.all([import("conf"), import("../platform/index.ts")]);
  await platform.ensureDir(stateDir);
  if (privateBelow !== undefined) {
    for (const dir of directoriesUpTo(stateDir, privateBelow)) await platform.chmodPath(dir, 0o700);
  }
  const conf = new Conf<Record<string, unknown>>({
    cwd: stateDir,
    configName: "config",
    fileExtension: "json",
    configFileMode: 0o600,
    clearInvalidConfig: false,
    accessPropertiesByDotNotation: false,
    serialize: (value) => `${JSON.stringify(value, null, 2)}\n`,
    deserialize: parse,
  });
  const next: Record<string, unknown> = { ...conf.store };
  for (const [key, value] of touched) {
    if (value === undefined) delete next[key];
    else next[key] = value;
  }
  conf.store = next;
  // A file that was there before keeps its own mode in conf; it may hold a token, so it is closed to others.
  await platform.chmodPath(settingsPath(stateDir), 0o600);
}

function parse(text: string): Record<string, unknown> {
  return text.trim() === "" ? {} : (JSON.parse(text.replace(/^\uFEFF/, "")) as Record<string, unknown>);
}

function directoriesUpTo(from: string, root: string): string[] {
  const dirs: string[] = [];
  for (let dir = from; ; dir = dirname(dir)) {
    dirs.push(dir);
    if (dir === root || dirname(dir) === dir) return dirs;
  }
}

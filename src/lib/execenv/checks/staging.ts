import { lstatSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { removeFile } from "../../platform/index.ts";
import { lookConfined } from "../confined.ts";
import { ENTRY, MARKER } from "../layout.ts";
import { allProviderFiles } from "../providers.ts";
import { type Check, type CheckContext, type Repaired, finding } from "./check.ts";
import { references } from "./referenced.ts";
import type { Finding } from "./types.ts";

/** Names that our writers give to content that is not complete yet: a dot, the name, random hex, `.tmp`. */
const STAGING = /^\.(.+)\.[0-9a-f]{12}\.tmp$/;
/** The lock's holder file has a form of its own. */
const HOLDER = /^\.task_lock\.holder\.[0-9a-f]{16}\.tmp$/;

/** Names of ours in a directory; `links`: only links count, for names that others choose. */
interface Place {
  readonly directory: string;
  readonly names: ReadonlySet<string> | "any";
  readonly links?: true;
}

/**
 * What a write that was killed left behind, in the places we write to. Only under names that we write: Codex and agents
 * have temporary files of their own. Nobody else writes here while we hold the lock.
 */
async function check(context: CheckContext, places: readonly Place[]): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const place of places) {
    for (const name of await stagingIn(context, place)) found.push(finding("CH_TEMP_LEFTOVER", { path: join(place.directory, name), expected: "nothing", actual: "an unfinished write" }));
  }
  return found;
}

async function repair(context: CheckContext, found: Finding): Promise<Repaired> {
  await removeFile(join(context.target.root, found.path));
  return {};
}

export const rootStagingCheck: Check = { id: "staging-root", section: "environment", codes: ["CH_TEMP_LEFTOVER"], check: (context) => check(context, rootPlaces()), repair };

export const stagingCheck: Check = {
  id: "staging",
  section: "codex",
  codes: ["CH_TEMP_LEFTOVER"],
  check: async (context) => (context.codex === undefined ? [] : check(context, await homePlaces(context))),
  repair,
};

function rootPlaces(): Place[] {
  const briefs = allProviderFiles().flatMap(({ brief }) => (brief === null ? [] : [brief]));
  return [
    { directory: "", names: new Set([ENTRY.record, ENTRY.managed, ENTRY.owner, ENTRY.gcMeta, ".multica_sidecar_manifest.json"]) },
    { directory: ENTRY.workdir, names: new Set(briefs) },
    { directory: join(ENTRY.workdir, dirname(MARKER)), names: new Set([basename(MARKER)]) },
    { directory: join(ENTRY.workdir, ".multica", "project"), names: new Set(["resources.json"]) },
    { directory: join(ENTRY.workdir, ".agent_context"), names: new Set(["issue_context.md"]) },
  ];
}

async function homePlaces(context: CheckContext): Promise<Place[]> {
  const home = ENTRY.codexHome;
  const named = (await references(context)).map(({ value }) => value).filter((value) => !/^[/~]|(^|\/)\.\.(\/|$)/.test(value));
  return [
    { directory: home, names: new Set(["auth.json", "config.toml", "config.json", "instructions.md", "sessions", "models_cache.json", ".models_cache_config.sha256"]) },
    { directory: join(home, "plugins"), names: new Set(["cache"]) },
    { directory: join(home, "skills"), names: "any", links: true },
    { directory: join(home, ".multica", "backup"), names: "any" },
    ...named.map((value) => ({ directory: join(home, dirname(value)), names: new Set([basename(value)]) })),
  ];
}

async function stagingIn(context: CheckContext, place: Place): Promise<string[]> {
  const path = join(context.target.root, place.directory);
  const facts = await lookConfined(context.target.root, place.directory).catch(() => undefined);
  if (facts?.isDirectory() !== true) return [];
  const found: string[] = [];
  for (const name of readdirSync(path)) {
    const of = STAGING.exec(name)?.[1];
    const ours = of === undefined ? place.directory === "" && HOLDER.test(name) : place.names === "any" || place.names.has(of);
    if (!ours) continue;
    const kind = lstatSync(join(path, name));
    if (place.links === true ? kind.isSymbolicLink() : !kind.isDirectory()) found.push(name);
  }
  return found;
}

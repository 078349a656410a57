import { lstat, readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { isObject, parseJson, taskKey } from "../../core/index.ts";
import { chmodPath, makeDirectory, pathExists, readRegularFile, realPathIfExists, writeFileAtomic } from "../../platform/index.ts";
import { lookConfined, readConfined } from "../confined.ts";
import { ENTRY, MARKER, isBookkeeping } from "../layout.ts";
import { isRootMarkerOurs, restoreRootMarker } from "../markers.ts";
import { type Check, type CheckContext, finding } from "./check.ts";
import { configuredSharedHome, isSelfShared } from "./context.ts";
import { IDENTITY_CHECKS } from "./identity.ts";
import { setAside } from "./place.ts";
import type { Finding } from "./types.ts";

/** Nothing else is looked at while this finds something: behind a link everything could be somebody else's. */
export const containmentCheck: Check = {
  id: "containment",
  section: "environment",
  codes: ["ENV_SYMLINKED"],

  async check({ target }) {
    const found = (path: string, actual: string): Finding => finding("ENV_SYMLINKED", { path, expected: "a place of its own in the workspaces root", actual });
    const base = realPathIfExists(target.workspacesRoot);
    const expected = base === undefined ? undefined : join(base, basename(dirname(target.root)), basename(target.root));
    const real = realPathIfExists(target.root);
    if (real === undefined || real !== expected) return [found("", `the env root is ${real ?? "not there"}`)];
    const links: Finding[] = [];
    for (const name of [ENTRY.workdir, ENTRY.codexHome, ENTRY.output, ENTRY.logs, ENTRY.config, ENTRY.lock, `${ENTRY.lock}.holder`]) {
      const facts = await lookConfined(real, name);
      if (facts?.isSymbolicLink() === true) links.push(found(name, "a link"));
      else if (facts !== undefined && name.startsWith(ENTRY.lock) && !facts.isFile()) links.push(found(name, "no regular file"));
    }
    return links;
  },
};

const rootMarkerCheck: Check = {
  id: "root-marker",
  section: "environment",
  codes: ["ROOT_MARKER_MISSING", "ROOT_MARKER_FOREIGN"],

  async check({ target }) {
    const state = await isRootMarkerOurs(target.workspacesRoot);
    const facts = { path: MARKER, expected: "the guard marker of the workspaces root" };
    if (state === "ours") return [];
    return [state === "foreign" ? finding("ROOT_MARKER_FOREIGN", { ...facts, actual: "somebody else's" }) : finding("ROOT_MARKER_MISSING", { ...facts, actual: "absent or torn" })];
  },

  async repair({ target }) {
    await restoreRootMarker(target.workspacesRoot);
    return {};
  },
};

const directoriesCheck: Check = {
  id: "directories",
  section: "environment",
  codes: ["ENV_WORKDIR_MISSING", "ENV_SCRATCH_MISSING", "ENV_CONFIG_ROOT_MODE"],

  async check(context) {
    const { root } = context.target;
    const findings: Finding[] = [];
    const local = context.record?.execution_mode !== undefined && (context.record.execution_mode as string) !== "managed";
    if (!local && (await lookConfined(root, ENTRY.workdir))?.isDirectory() !== true) findings.push(finding("ENV_WORKDIR_MISSING", { path: ENTRY.workdir, expected: "a directory", actual: "absent" }));
    for (const name of [ENTRY.output, ENTRY.logs]) {
      const facts = await lookConfined(root, name);
      if (facts?.isDirectory() === true) continue;
      const path = { path: name, expected: "a directory", actual: facts === undefined ? "absent" : "no directory" };
      findings.push(finding("ENV_SCRATCH_MISSING", facts === undefined ? path : { ...path, fix: "manual", hint: "Move that file away." }));
    }
    const config = await lookConfined(root, ENTRY.config);
    if (config !== undefined && !config.isDirectory()) findings.push(finding("ENV_CONFIG_ROOT_MODE", { path: ENTRY.config, expected: "a directory, 0700", actual: "no directory", fix: "manual", hint: "Move that file away." }));
    else if (config === undefined || (config.mode & 0o777) !== 0o700) findings.push(finding("ENV_CONFIG_ROOT_MODE", { path: ENTRY.config, expected: "a directory, 0700", actual: config === undefined ? "absent" : `0${(config.mode & 0o777).toString(8)}` }));
    return findings;
  },

  async repair(context, found) {
    const path = join(context.target.root, found.path);
    const config = found.code === "ENV_CONFIG_ROOT_MODE";
    await makeDirectory(path, config ? 0o700 : 0o755);
    if (config && (await lstat(path)).isDirectory()) await chmodPath(path, 0o700);
    return {};
  },
};

const ownerCheck: Check = {
  id: "owner",
  section: "environment",
  codes: ["ENV_OWNER_UNKNOWN"],

  async check(context) {
    const owner = (await readRegularFile(context.paths.owner))?.toString("utf8").trim() ?? "";
    if (owner !== "" || (await readdir(context.target.root)).every(isBookkeeping)) return [];
    const known = recordedOwner(context);
    return [finding("ENV_OWNER_UNKNOWN", { path: ENTRY.owner, expected: "the id of the task that made it", actual: "empty, absent or unreadable", ...(known === undefined ? {} : { fix: "auto", hint: "" }) })];
  },

  async repair(context) {
    const task = recordedOwner(context);
    if (task === undefined) return {};
    const directory = (await lookConfined(context.target.root, ENTRY.owner))?.isDirectory() === true;
    const backup = directory ? await setAside(context, ENTRY.owner) : undefined;
    await writeFileAtomic(context.paths.owner, `${task}\n`, { mode: 0o600 });
    return { backup };
  },
};

/** The record's task, if this directory bears its name. */
function recordedOwner(context: CheckContext): string | undefined {
  const task: unknown = context.record?.task_id;
  return typeof task === "string" && task !== "" && taskKey(task) === basename(context.target.root) ? task : undefined;
}

const metaCheck: Check = {
  id: "gc-meta",
  section: "environment",
  codes: ["ENV_META_CORRUPT"],

  async check(context) {
    if (!(await pathExists(context.paths.gcMeta))) return [];
    const value: unknown = parseJson((await readConfined(context.target.root, ENTRY.gcMeta)) ?? "");
    return isObject(value) ? [] : [finding("ENV_META_CORRUPT", { path: ENTRY.gcMeta, expected: "a JSON object", actual: "something else" })];
  },

  async repair(context) {
    return { backup: await setAside(context, ENTRY.gcMeta) };
  },
};

/** Which home of the user this one hangs on. */
const sharedHomeCheck: Check = {
  id: "shared-home",
  section: "environment",
  codes: ["CH_SELF_SHARED", "CH_SHARED_DIFFERS"],

  async check(context) {
    const { codex, record, target } = context;
    const recorded = record?.codex?.shared_home;
    if (codex === undefined || typeof recorded !== "string" || target.sharedHome !== undefined) return [];
    const facts = { path: ENTRY.record, expected: `the user's Codex home, ${codex.sharedHome}` };
    if (isSelfShared(target, recorded)) return [finding("CH_SELF_SHARED", { ...facts, actual: `${recorded}, which lies in the workspaces root` })];
    if (resolve(recorded) !== codex.sharedHome) return [finding("CH_SHARED_DIFFERS", { ...facts, actual: `the record names ${recorded}, which is no Codex home` })];
    const configured = configuredSharedHome(target);
    return configured === undefined || configured === codex.sharedHome ? [] : [finding("CH_SHARED_DIFFERS", { ...facts, actual: `CODEX_HOME is ${configured}; the record's is used` })];
  },

  async repair(context) {
    const { codex, record, paths } = context;
    if (codex === undefined || record?.codex === undefined) return {};
    await writeFileAtomic(paths.record, `${JSON.stringify({ ...record, codex: { ...record.codex, shared_home: codex.sharedHome } }, null, 2)}\n`, { mode: 0o600 });
    return {};
  },
};

export const ENVIRONMENT_CHECKS: readonly Check[] = [containmentCheck, rootMarkerCheck, directoriesCheck, ownerCheck, metaCheck, ...IDENTITY_CHECKS, sharedHomeCheck];

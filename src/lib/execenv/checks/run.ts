import { errorText } from "../../core/index.ts";
import { type FileLock, lockHolder } from "../../platform/index.ts";
import { lockRoot } from "../claim.ts";
import { envPaths } from "../layout.ts";
import { readRecord } from "../record.ts";
import { type Check, type CheckContext, type Section, finding } from "./check.ts";
import { openContext } from "./context.ts";
import { containmentCheck } from "./environment.ts";
import { CHECKS } from "./list.ts";
import { isSelected } from "./select.ts";
import { blockViews, entryViews } from "./views.ts";
import type { Finding, HealOptions, Report, ReportStatus, Target } from "./types.ts";

/** A repair can bring to light what it hid; more rounds than this mean that something keeps breaking it. */
const MAX_ROUNDS = 3;

/** Everything that is wrong with an environment. Reads only, and never throws: what cannot be looked at is a finding. */
export async function inspectEnvironment(target: Target): Promise<Report> {
  try {
    const context = await openContext(target, {});
    return await reportOf(context, await lookAt(context, CHECKS), isBusy(target));
  } catch (error) {
    return failedReport(target, errorText(error));
  }
}

/**
 * Looks, repairs, looks again (execenv.md 17). Takes the environment's lock, and only if there is something to repair: on
 * a healthy environment nothing is written, times included. Never throws; a held environment is `busy` and untouched.
 */
export async function healEnvironment(target: Target, options: HealOptions = {}): Promise<Report> {
  try {
    const busy = isBusy(target);
    const context = await openContext(target, options);
    const before = await lookAt(context, CHECKS);
    const todo = before.some((one) => isSelected(one, options));
    if (options.dryRun === true) return await reportOf(context, before.map((one) => (isSelected(one, options) ? { ...one, status: "would_heal" } : one)), busy);
    if (busy) return { ...(await reportOf(context, before, true)), status: "busy" };
    if (!todo) return await reportOf(context, before, false);
    const lock = await lockRoot(target.root);
    if (lock === null) return { ...(await reportOf(context, before, true)), status: "busy" };
    return await healLocked(target, options, lock);
  } catch (error) {
    return failedReport(target, errorText(error));
  }
}

async function healLocked(target: Target, options: HealOptions, lock: FileLock): Promise<Report> {
  try {
    // What was seen before the lock may have been somebody's half-made state.
    const context = await openContext(target, options);
    const findings = await repairAll(context, CHECKS);
    return await reportOf(await openContext(target, options), findings, false);
  } finally {
    lock.release();
  }
}

/** The checks of one section, repaired as far as `auto` goes; for callers that hold the lock. Each repair is logged. */
export async function healSection(context: CheckContext, section: Section): Promise<readonly Finding[]> {
  return repairAll(context, CHECKS.filter((check) => check.section === section));
}

/** Runs the checks in order, each repair before the next check, until a round repairs nothing. */
async function repairAll(opened: CheckContext, checks: readonly Check[]): Promise<Finding[]> {
  let context = opened;
  const unsafe = await lookWith(context, containmentCheck);
  if (unsafe.length > 0) return [...unsafe];
  const done = new Map<string, Finding>();
  let repaired = true;
  for (let round = 0; round < MAX_ROUNDS && repaired; round += 1) {
    repaired = false;
    const seen: Finding[] = [];
    const closed = new Set<Section>();
    for (const check of checks) {
      if (closed.has(check.section)) continue;
      for (const one of await lookWith(context, check)) {
        seen.push(one);
        if (!isSelected(one, context.options) || check.repair === undefined) continue;
        // What failed is tried again as long as others succeed: one of them may have been in its way.
        const result = await repairOne(context, check, one);
        done.set(keyOf(one), { ...result, backup: result.backup ?? done.get(keyOf(one))?.backup ?? null });
        if (result.status === "healed") repaired = true;
      }
      if (await isClosed(context, check)) closed.add(check.section);
    }
    // Nothing was changed by anybody, so a second look would show the same.
    if (done.size === 0) return seen;
    // The record is one of the things that are repaired.
    context = { ...context, record: await readRecord(context.target.root).catch(() => undefined) };
  }
  const left = new Map((await lookAt(context, checks)).map((one) => [keyOf(one), one]));
  const settled = [...done].map(([key, one]) => settle(one, left.get(key)));
  return [...settled, ...[...left].filter(([key]) => !done.has(key)).map(([, one]) => one)];
}

/** A repair whose finding is still there did not work, whatever it said; another repair may also have ended a failed one. */
function settle(one: Finding, left: Finding | undefined): Finding {
  if (left === undefined) return { ...one, status: "healed", error: null };
  return one.status === "failed" ? one : { ...one, status: "failed", error: "it is still there after the repair" };
}

async function repairOne(context: CheckContext, check: Check, one: Finding): Promise<Finding> {
  const { logger, root } = context.target;
  try {
    const { backup } = (await check.repair?.(context, one)) ?? {};
    logger.info("environment repaired", { root, code: one.code, path: one.path, was: one.actual, ...(backup === undefined ? {} : { kept: backup }) });
    return { ...one, status: "healed", backup: backup ?? null };
  } catch (error) {
    logger.warn("environment not repaired", { root, code: one.code, path: one.path, error: errorText(error) });
    return { ...one, status: "failed", error: errorText(error) };
  }
}

async function lookAt(context: CheckContext, checks: readonly Check[]): Promise<Finding[]> {
  const unsafe = await lookWith(context, containmentCheck);
  if (unsafe.length > 0) return [...unsafe];
  const findings: Finding[] = [];
  const closed = new Set<Section>();
  for (const check of checks) {
    if (check === containmentCheck || closed.has(check.section)) continue;
    const found = await lookWith(context, check);
    findings.push(...found);
    if (found.some((one) => check.gate?.(one) === true)) closed.add(check.section);
  }
  return findings;
}

/** True while a gate stands shut, its repair tried or not. */
async function isClosed(context: CheckContext, check: Check): Promise<boolean> {
  return check.gate !== undefined && (await lookWith(context, check)).some((one) => check.gate?.(one) === true);
}

async function lookWith(context: CheckContext, check: Check): Promise<readonly Finding[]> {
  try {
    return await check.check(context);
  } catch (error) {
    return [{ ...finding("CHECK_FAILED", { path: check.id, expected: "can be looked at", actual: errorText(error) }), error: errorText(error) }];
  }
}

function keyOf(one: Finding): string {
  return `${one.code} ${one.path}`;
}

async function reportOf(context: CheckContext, findings: readonly Finding[], busy: boolean): Promise<Report> {
  return {
    id: context.id,
    path: context.target.root,
    status: statusOf(findings),
    busy,
    provider: context.provider,
    shared_codex_home: context.codex?.sharedHome ?? null,
    findings,
    codex_home: await entryViews(context, findings),
    blocks: await blockViews(context),
    error: null,
  };
}

function statusOf(findings: readonly Finding[]): ReportStatus {
  const matters = findings.filter((one) => one.severity !== "info" || one.status === "failed");
  if (matters.some((one) => one.status !== "healed")) return "remaining";
  return findings.some((one) => one.status === "healed") ? "healed" : "ok";
}

function failedReport(target: Target, error: string): Report {
  const none = { findings: [], codex_home: [], blocks: [] };
  return { id: "", path: target.root, status: "error", busy: false, provider: "", shared_codex_home: null, ...none, error };
}

function isBusy(target: Target): boolean {
  return lockHolder(envPaths(target.root).lock) !== null;
}

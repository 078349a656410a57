import { lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorText } from "../../core/index.ts";
import { type Environment, isSameDirectory, resumeGate } from "../../execenv/index.ts";
import { createLink, ensureDir, linkFile, realPathIfExists } from "../../platform/index.ts";
import { type FindOptions, type FoundRollout, findRollout } from "../../state/index.ts";
import { homePlacesOf } from "../places.ts";
import type { TaskRun } from "./run.ts";

export interface PriorSession {
  /** The session to resume; absent = start a new one. */
  readonly sessionId?: string;
  /** A session was asked for and is dropped. */
  readonly lost: boolean;
  /** Why it is dropped, for people. */
  readonly why?: string;
}

/**
 * Whether the agent's earlier session can be continued here, before anything is launched (execenv.md 6.3, state-db.md 18).
 * For Codex its rollout must be in the environment's home: what the index and the files know of it decides, and a
 * rollout that is only in another home is given a name in this one.
 */
export async function priorSession(run: TaskRun, environment: Environment): Promise<PriorSession> {
  const prior = run.task.prior_session_id?.trim() ?? "";
  if (prior === "") return { lost: false };
  const gate = (): PriorSession => resumeGate(environment, { sessionId: prior, workDir: run.task.prior_work_dir });
  if (!isSameDirectory(environment.workdir, run.task.prior_work_dir?.trim() ?? "")) return { lost: true, why: "its working directory is not the one of this run" };
  const { codexHome } = environment;
  if (codexHome === undefined) return gate();
  try {
    const here = await find(run, prior, codexHome);
    if (here !== null) return { sessionId: prior, lost: false };
    if (await bringHere(run, prior, codexHome)) return { sessionId: prior, lost: false };
    // Providers may name sessions in other ways than by thread ids: then the name of the file decides alone.
    const named = gate();
    return named.lost || isThreadId(prior) ? { lost: true, why: "no record of it is left in the agent's home" } : named;
  } catch (error) {
    run.logger.warn("the prior session could not be looked up", { session: prior, error: errorText(error) });
    return gate();
  }
}

/** Tells the index that this environment's home has changed; nobody waits for it. */
export function noteSession(run: TaskRun, environment: Environment): void {
  const { codexHome } = environment;
  if (codexHome === undefined || run.ctx.index === null) return;
  run.ctx.index.refresh({ homes: [realPathIfExists(codexHome) ?? codexHome] }).catch((error: unknown) => run.logger.debug("session not indexed", { error: errorText(error) }));
}

function isThreadId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

function find(run: TaskRun, threadId: string, home: string | undefined): Promise<FoundRollout | null> {
  const { ctx } = run;
  const options: FindOptions = { scope: "live", places: homePlacesOf(run.ctx), home, repair: true };
  return findRollout(ctx.index, threadId, { ...options, clock: ctx.clock });
}

/**
 * Gives a rollout of the user's home a name in this one, where this home has sessions of its own (an older layout, a link
 * that was lost): a second name for one file, so that both homes go on with the same conversation. A link to the
 * sessions is the healer's business and is left alone.
 */
async function bringHere(run: TaskRun, threadId: string, codexHome: string): Promise<boolean> {
  const sessions = join(codexHome, "sessions");
  if (lstatSync(sessions, { throwIfNoEntry: false })?.isSymbolicLink() === true) return false;
  const { userHome } = homePlacesOf(run.ctx);
  const there = await find(run, threadId, userHome);
  if (there === null || !there.verified) return false;
  const way = there.rollout_path.slice(join(userHome, "sessions").length + 1);
  if (!there.rollout_path.startsWith(join(userHome, "sessions")) || way === "") return false;
  const target = join(sessions, way);
  await ensureDir(dirname(target));
  if (!(await linkFile(there.rollout_path, target))) await createLink(there.rollout_path, target);
  run.logger.info("the prior session's rollout was brought into the environment's home", { from: there.rollout_path, to: target });
  return true;
}

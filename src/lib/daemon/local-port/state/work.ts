import { MulticaError, isMulticaError } from "../../../core/index.ts";
import type { StateFinding } from "../../../state/index.ts";
import { stateBackfillSchema, stateCheckSchema } from "../../../wire/index.ts";
import type { LocalContext } from "../access.ts";
import { type StatePort, badBody, bodyOf } from "./answers.ts";
import { readyIndex, requireHome } from "./sessions.ts";

const POLL_MS = 250;

interface Sound {
  readonly ok: boolean;
  readonly findings: readonly StateFinding[];
}

/** `POST /state/backfill`: the index's own thread does it; 202 with the job. */
export async function backfillRoute(c: LocalContext, port: () => StatePort): Promise<Response> {
  const body = await bodyOf(c, stateBackfillSchema);
  if (body === null) return badBody();
  readyIndex(port());
  for (const home of body.homes ?? []) requireHome(port(), home);
  const id = port().jobs.begin(async () => {
    for (;;) {
      const stats = await readyIndex(port()).refresh({ homes: body.homes, force: body.force });
      if (stats !== null) return stats;
      await port().clock.sleep(POLL_MS);
    }
  });
  return c.json({ job: id }, 202);
}

/** `POST /state/check`: both files, read in the index's thread; 202 with the job. */
export async function checkRoute(c: LocalContext, port: () => StatePort): Promise<Response> {
  const body = await bodyOf(c, stateCheckSchema);
  if (body === null) return badBody();
  const { checkState } = port();
  if (checkState === null) throw new MulticaError("index_not_ready", "the daemon works without the state file");
  const id = port().jobs.begin(async () => {
    const findings = await checkState(body.full);
    port().state?.noteCheck(findings);
    const state = sound(findings);
    let index = await indexSound(port, body);
    const actions: string[] = [];
    if (body.repair_index && index !== null && !index.ok) {
      await port().index?.discard();
      actions.push("the index was made anew");
      index = await indexSound(port, body);
    }
    return { state, index, actions };
  });
  return c.json({ job: id }, 202);
}

const sound = (findings: readonly StateFinding[]): Sound => ({ ok: findings.length === 0, findings });

/** Null while there is no index to be looked at. */
async function indexSound(port: () => StatePort, options: { readonly full: boolean; readonly all: boolean }): Promise<Sound | null> {
  const { index } = port();
  if (index === null) return null;
  try {
    return sound(await index.check(options));
  } catch (error) {
    if (!isMulticaError(error, "state_corrupt")) throw error;
    return sound([{ code: "damage", detail: error.message }]);
  }
}

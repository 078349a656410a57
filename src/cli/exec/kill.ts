import type { ExecSignalRequest } from "../../lib/wire/index.ts";
import type { ExecPlace } from "./port.ts";
import { findProcess } from "./target.ts";
import { duration } from "./values.ts";

interface KillValues {
  readonly signal?: string | undefined;
  readonly grace?: string | undefined;
  readonly force?: boolean;
}

export interface Killed {
  readonly thread_id: string;
  readonly process_id: string;
  /** False: it had ended by itself. */
  readonly running: boolean;
}

/** Ends or signals every process that is named; all names are looked up before the first one is touched. */
export async function killAll(place: ExecPlace, names: readonly string[], values: KillValues): Promise<Killed[]> {
  const graceMs = duration("--grace", values.grace);
  const records = [];
  for (const name of names) records.push(await findProcess(place, name));
  return Promise.all(
    records.map(async (record) => {
      const { thread_id, process_id } = record;
      if (values.signal !== undefined) {
        await place.port.signal(record, { name: values.signal as ExecSignalRequest["name"] });
        return { thread_id, process_id, running: true };
      }
      const { running } = await place.port.kill(record, { ...(graceMs === undefined ? {} : { grace_ms: graceMs }), ...(values.force === true ? { force: true } : {}) });
      return { thread_id, process_id, running };
    }),
  );
}

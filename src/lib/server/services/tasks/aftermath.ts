import type { TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { afterQuickCreate } from "../quick-create-outcome.ts";
import { isQuickCreate } from "../../rows/index.ts";

/**
 * What the end of a run means to whatever it belongs to beside an issue; a failure that is retried is not an end.
 * In the transaction of the end, so that neither is ever seen without the other (server-api.md 6.8).
 */
export function afterEnd(tx: Tx, task: TaskRow): void {
  if (isQuickCreate(task)) afterQuickCreate(tx, task);
}

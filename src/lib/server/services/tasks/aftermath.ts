import { type TaskRow, isQuickCreate } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { afterAutopilotRun, afterAutopilotStart } from "../autopilots/outcome.ts";
import { afterChatTurn } from "../chat/outcome.ts";
import { afterQuickCreate } from "../quick-create-outcome.ts";

/**
 * What the end of a run means to whatever it belongs to beside an issue; a failure that is retried is not an end.
 * In the transaction of the end, so that neither is ever seen without the other (server-api.md 6.8).
 */
export function afterEnd(tx: Tx, task: TaskRow): void {
  if (task.autopilot_run_id !== null) afterAutopilotRun(tx, task);
  if (task.chat_session_id !== null) afterChatTurn(tx, task);
  if (isQuickCreate(task)) afterQuickCreate(tx, task);
}

/** What the beginning of a run means to it. */
export function afterStart(tx: Tx, task: TaskRow): void {
  if (task.autopilot_run_id !== null) afterAutopilotStart(tx, task);
}

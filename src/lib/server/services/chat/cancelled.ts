import { all, one, run, update } from "../../db/query.ts";
import type { ChatMessageRow, TaskMessageRow, TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { commentText } from "../tasks/final-text.ts";
import { returnDraft, saveDraft } from "./drafts.ts";
import { addAnswer } from "./outcome.ts";

/** Stands for an answer where a cancelled run did something and said nothing. */
const NOTHING_SAID = "The run was cancelled before it answered.";
/** How a message says that the turn it belongs to did not come to its end. */
const CANCELLED = "cancelled";

/**
 * What becomes of the question if the answer never began: `restore` gives it back to the person, `keep` leaves it in the
 * conversation (somebody else ended the turn, or the client knows nothing of drafts).
 */
export type TurnOutcome = "restore" | "keep";

/**
 * A chat turn was cancelled. One that had not begun has nothing to say: its question goes back at once, with the answer to
 * the request. What a running one wrote is still on its way: the outcome waits for the daemon's word (server-api.md 11.4).
 */
export function cancelTurn(tx: Tx, task: TaskRow, outcome: TurnOutcome, restorable: boolean): void {
  if (task.chat_session_id === null) return;
  if (task.started_at !== null) update(tx.db, "task", task.id, { chat_outcome: outcome });
  else if (restorable) saveDraft(tx, task, { handedOver: true });
}

/**
 * Writes the open outcome of a cancelled turn, once: what the agent said as a message that bears the cancellation, else the
 * question as a draft. `said`: the text of a report that came too late to count, for a run without a transcript.
 */
export function settleTurn(tx: Tx, taskId: string, said = ""): void {
  const task = one<TaskRow>(tx.db, "SELECT * FROM task WHERE id = :taskId AND status = 'cancelled' AND chat_outcome IS NOT NULL", { taskId });
  if (task === undefined) return;
  update(tx.db, "task", taskId, { chat_outcome: null });
  const { text, acted } = wordsOf(tx, taskId);
  const content = text === "" ? commentText(said) : text;
  if (content !== "" || acted) addAnswer(tx, task, { content: content === "" ? NOTHING_SAID : content, failureReason: CANCELLED, kind: "message" });
  else if (task.chat_outcome === "restore") saveDraft(tx, task, { handedOver: false });
}

/**
 * Words that arrived after the outcome was written belong to the message that is there (server-api.md 11.9). Where there is
 * none they become one, behind their question: it comes back from the drafts if nobody has taken it up since.
 */
export function amendTurn(tx: Tx, task: TaskRow): void {
  if (task.status !== "cancelled" || task.chat_session_id === null || task.chat_outcome !== null) return;
  const { text } = wordsOf(tx, task.id);
  if (text === "") return;
  const messages = all<ChatMessageRow>(tx.db, "SELECT * FROM chat_message WHERE task_id = :id ORDER BY seq", { id: task.id });
  const answer = messages.find((message) => message.role === "assistant");
  if (answer !== undefined) run(tx.db, "UPDATE chat_message SET content = :text WHERE id = :id", { text, id: answer.id });
  else if (messages.length > 0 || returnDraft(tx, task.id)) addAnswer(tx, task, { content: text, failureReason: CANCELLED, kind: "message" });
}

/** What a run said so far, and whether it did anything. Text comes in pieces; what stands between them begins a new paragraph. */
function wordsOf(tx: Tx, taskId: string): { readonly text: string; readonly acted: boolean } {
  const rows = all<Pick<TaskMessageRow, "type" | "content">>(tx.db, "SELECT type, content FROM task_message WHERE task_id = :taskId ORDER BY seq", { taskId });
  const paragraphs: string[] = [];
  let open = false;
  for (const row of rows) {
    if (row.type === "text") paragraphs.push(`${open ? (paragraphs.pop() ?? "") : ""}${row.content ?? ""}`);
    open = row.type === "text";
  }
  const text = commentText(paragraphs.map((part) => part.trim()).filter((part) => part !== "").join("\n\n"));
  return { text, acted: rows.some((row) => row.type !== "text" && row.type !== "thinking") };
}

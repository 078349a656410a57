import { asString, isObject } from "../../../core/index.ts";
import { growCall } from "./calls.ts";
import { onItem } from "./items.ts";
import { concludeTurn } from "./outcome.ts";
import { TIMER, type Turn, alive, clearTimer, note, progress, recordTurnError, setTimer, turnRunning } from "./state.ts";
import { addReport, addTurnUsage, rememberTotal } from "./usage.ts";

type Params = Readonly<Record<string, unknown>>;

/** What a lost `turn/completed` is waited for once the thread said that it is done (real-agents.md 3, finding 17). */
const SETTLE_MS = 2000;
const FINAL_ANSWER_SETTLE_MS = 5000;

const ABORTED = new Set(["cancelled", "canceled", "aborted", "interrupted"]);

/** The kinds that decide which dialect a process is read in; others (warnings, accounts) say nothing about it. */
export function isCurrentKind(method: string): boolean {
  return method.startsWith("turn/") || method.startsWith("item/") || method === "error" || method === "thread/status/changed";
}

/** A notification of the current protocol, for our own thread (agents.md 14.7). */
export function onCurrent(turn: Turn, method: string, params: Params): void {
  switch (method) {
    case "turn/started":
      return onTurnStarted(turn, params);
    case "turn/completed":
      return onTurnCompleted(turn, params);
    case "thread/tokenUsage/updated":
      return onTokens(turn, params);
    case "thread/status/changed":
      return onThreadStatus(turn, params);
    case "error":
      return onError(turn, params);
  }
  if (method.startsWith("item/") && isOurTurn(turn, asString(params.turnId))) onItemEvent(turn, method, params);
}

function onTurnStarted(turn: Turn, params: Params): void {
  const id = isObject(params.turn) ? asString(params.turn.id) : "";
  if (!isOurTurn(turn, id)) return;
  if (turn.s.turnId === "") turn.s.turnId = id;
  turnRunning(turn);
}

function onTurnCompleted(turn: Turn, params: Params): void {
  const done = isObject(params.turn) ? params.turn : {};
  if (!isOurTurn(turn, asString(done.id))) return;
  const status = asString(done.status);
  turn.s.usage = addTurnUsage(turn.s.usage, done);
  if (status === "failed") {
    const text = isObject(done.error) ? asString(done.error.message) : "";
    // The turn's own text is the last word; an `error` before it usually says the same.
    turn.s.turnError = text || turn.s.turnError || "codex turn failed";
  }
  concludeTurn(turn, ABORTED.has(status));
}

function onTokens(turn: Turn, params: Params): void {
  const id = asString(params.turnId);
  // A resumed thread replays the old total under the old turn's id (real-agents.md 3, finding 16).
  if (turn.s.turnId === "" || id !== turn.s.turnId) {
    turn.s.usage = rememberTotal(turn.s.usage, params.tokenUsage);
    return;
  }
  turn.s.usage = addReport(turn.s.usage, params.tokenUsage, !turn.s.fresh && turn.s.speaksLegacy);
  progress(turn, "thread/tokenUsage/updated");
}

function onThreadStatus(turn: Turn, params: Params): void {
  const type = isObject(params.status) ? asString(params.status.type) : "";
  if (!turn.s.turnStarted || (type !== "idle" && type !== "systemError")) return;
  if (type === "systemError" && turn.s.abort === null) recordTurnError(turn, "codex thread ended with a system error");
  setTimer(turn, TIMER.settle, SETTLE_MS);
}

function onError(turn: Turn, params: Params): void {
  if (!isOurTurn(turn, asString(params.turnId))) return;
  const error = isObject(params.error) ? params.error : {};
  const text = asString(error.message) || asString(params.message) || "codex reported an error";
  if (params.willRetry === true) {
    note(turn, "warn", [text, asString(error.additionalDetails)].filter((part) => part !== "").join(": "));
    return alive(turn, "error:retry");
  }
  progress(turn, "error:terminal");
  recordTurnError(turn, text);
  setTimer(turn, TIMER.settle, SETTLE_MS);
}

function onItemEvent(turn: Turn, method: string, params: Params): void {
  const item = isObject(params.item) ? params.item : null;
  const id = item === null ? asString(params.itemId) : asString(item.id);
  progress(turn, `${method}:${item === null ? "" : asString(item.type)}:${id}`);
  if (method === "item/commandExecution/outputDelta") return growCall(turn, id, asString(params.delta));
  if (item === null || (method !== "item/started" && method !== "item/completed")) return;
  onItem(turn, method === "item/started" ? "started" : "completed", item);
  if (turn.s.finalAnswer === "") return;
  // An answer marked final ends a turn whose end is never told; work that goes on takes the mark back.
  if (method === "item/completed" && item.type === "agentMessage") setTimer(turn, TIMER.settle, FINAL_ANSWER_SETTLE_MS);
  else clearTimer(turn, TIMER.settle);
}

function isOurTurn(turn: Turn, id: string): boolean {
  return id === "" || turn.s.turnId === "" || id === turn.s.turnId;
}

import { asNumber, asString, isObject } from "../../../core/index.ts";
import { closeCall, growCall, openCall } from "./calls.ts";
import { changesHeadline, changesInput } from "./changes.ts";
import { agentText, thinking } from "./items.ts";
import { concludeTurn } from "./outcome.ts";
import { type Turn, alive, note, progress, recordTurnError, turnRunning } from "./state.ts";
import { addReport, addTurnUsage } from "./usage.ts";

type Msg = Readonly<Record<string, unknown>>;

const PREFIX = "codex/event";

/** Events that decide for this dialect; start-up notices come before the turn and decide nothing. */
const DECIDING = new Set([
  "task_started",
  "agent_message",
  "exec_command_begin",
  "exec_command_end",
  "patch_apply_begin",
  "patch_apply_end",
  "task_complete",
  "turn_aborted",
]);

/** The `msg` of a legacy event, or null for any other notification. */
export function legacyMessage(method: string, params: unknown): Msg | null {
  if (method !== PREFIX && !method.startsWith(`${PREFIX}/`)) return null;
  const msg = isObject(params) && isObject(params.msg) ? params.msg : null;
  if (msg === null) return null;
  return typeof msg.type === "string" ? msg : { ...msg, type: method.slice(PREFIX.length + 1) };
}

export function isLegacyKind(msg: Msg): boolean {
  return DECIDING.has(asString(msg.type));
}

/** An event of the older protocol (agents.md 14.7); everything unknown is activity. */
export function onLegacy(turn: Turn, msg: Msg): void {
  const type = asString(msg.type);
  switch (type) {
    case "task_started":
      if (turn.s.turnId === "") turn.s.turnId = asString(msg.turn_id);
      return turnRunning(turn);
    case "agent_message":
      return agentText(turn, asString(msg.message), asString(msg.phase));
    case "agent_reasoning":
      return thinking(turn, asString(msg.text));
    case "exec_command_begin":
      return openCall(turn, "exec_command", asString(msg.call_id), { command: commandText(msg.command) });
    case "exec_command_output_delta":
      return growCall(turn, asString(msg.call_id), Buffer.from(asString(msg.chunk), "base64").toString("utf8"));
    case "exec_command_end":
      return endCommand(turn, msg);
    case "patch_apply_begin":
      return openCall(turn, "patch_apply", asString(msg.call_id), changesInput(msg.changes));
    case "patch_apply_end":
      return endPatch(turn, msg);
    case "token_count":
      turn.s.usage = addReport(turn.s.usage, msg.info, !turn.s.fresh);
      return progress(turn, "token_count");
    case "stream_error":
      note(turn, "warn", asString(msg.message));
      return alive(turn, "error:retry");
    case "error":
      progress(turn, "error:terminal");
      return recordTurnError(turn, asString(msg.message) || "codex reported an error");
    case "task_complete":
      turn.s.usage = addTurnUsage(turn.s.usage, msg);
      return concludeTurn(turn, false);
    case "turn_aborted":
      return concludeTurn(turn, true);
    default:
      if (turn.s.turnStarted) progress(turn, type);
  }
}

function endCommand(turn: Turn, msg: Msg): void {
  const exitCode = asNumber(msg.exit_code);
  closeCall(turn, {
    tool: "exec_command",
    callId: asString(msg.call_id),
    input: { command: commandText(msg.command) },
    output: asString(msg.aggregated_output) || asString(msg.output) || asString(msg.stdout) + asString(msg.stderr),
    status: asString(msg.status) || (exitCode === undefined ? "" : exitCode === 0 ? "completed" : "failed"),
  });
}

function endPatch(turn: Turn, msg: Msg): void {
  const status = asString(msg.status) || (msg.success === true ? "completed" : msg.success === false ? "failed" : "");
  const parts = [changesHeadline(status, msg.changes), asString(msg.stdout).trim(), asString(msg.stderr).trim()];
  closeCall(turn, {
    tool: "patch_apply",
    callId: asString(msg.call_id),
    input: changesInput(msg.changes),
    output: parts.filter((part) => part !== "").join("\n"),
    status,
  });
}

/** Legacy commands are argument lists; the current protocol shows them as one shell line, and so do we. */
function commandText(command: unknown): string {
  if (!Array.isArray(command)) return asString(command);
  return command.map((part) => quote(asString(part))).join(" ");
}

function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

import { asString, formatDuration, isObject } from "../../../core/index.ts";
import { type RpcOutcome, rpcErrorText, rpcForget } from "../../jsonrpc/peer.ts";
import { concludeAborted, concludeFailed, concludeStepTimeout } from "./outcome.ts";
import { TIMER, type Turn, clearTimer, log, notify, request, setTimer } from "./state.ts";

/** A thread of an orphan that still runs is locked: wait for its end rather than lose the conversation (real-agents.md 3, finding 13). */
const BUSY = "already has an active writer";
const BUSY_WAIT_MS = 1000;
const BUSY_ATTEMPTS = 15;

const CLIENT = { name: "multica-agent-sdk", title: "Multica Agent SDK", version: "0.2.0" };

export function startHandshake(turn: Turn): void {
  step(turn, "initialize", { clientInfo: CLIENT, capabilities: { experimentalApi: true } });
}

/** An answer to one of our own requests moves the handshake on (agents.md 14.5). */
export function onResponse(turn: Turn, method: string, outcome: RpcOutcome): void {
  if (method !== "turn/interrupt") clearTimer(turn, TIMER.handshake);
  switch (method) {
    case "initialize":
      return onInitialize(turn, outcome);
    case "thread/resume":
      return onResume(turn, outcome);
    case "thread/start":
      return onThreadStart(turn, outcome);
    case "thread/name/set":
      if (!outcome.ok) log(turn, "warn", "codex refused the thread's name");
      return startTurn(turn);
    case "turn/start":
      return onTurnStart(turn, outcome);
    case "turn/interrupt":
      if (!outcome.ok) concludeAborted(turn);
      return;
  }
}

/** The step limit ran out. A name that is not set is no reason to fail. */
export function onHandshakeTimeout(turn: Turn): void {
  const [id, method] = Object.entries(turn.s.peer.pending)[0] ?? [];
  if (id === undefined || method === undefined) return;
  turn.s.peer = rpcForget(turn.s.peer, Number(id));
  if (method === "thread/name/set") {
    log(turn, "warn", "codex did not answer about the thread's name");
    return startTurn(turn);
  }
  concludeStepTimeout(turn, method);
}

export function retryResume(turn: Turn): void {
  resumeThread(turn);
}

function onInitialize(turn: Turn, outcome: RpcOutcome): void {
  if (!outcome.ok) return concludeFailed(turn, `codex initialize failed: ${rpcErrorText("initialize", outcome.error)}`, { withStderr: true });
  notify(turn, "initialized");
  turn.s.phase = "threadPending";
  if (turn.s.options.resumeSessionId) resumeThread(turn);
  else startThread(turn);
}

function resumeThread(turn: Turn): void {
  const { options } = turn.s;
  turn.s.resumeAttempts += 1;
  step(turn, "thread/resume", {
    threadId: options.resumeSessionId,
    cwd: options.cwd,
    model: options.model ?? null,
    developerInstructions: null,
    // The history is neither read here nor needed: without it a long thread cannot overflow the line limit.
    excludeTurns: true,
    ...(options.thinkingLevel === undefined ? {} : { config: { model_reasoning_effort: options.thinkingLevel } }),
    ...tier(turn),
  });
}

function onResume(turn: Turn, outcome: RpcOutcome): void {
  if (outcome.ok) {
    if (!adoptThread(turn, outcome.result)) return freshInstead(turn, "codex resumed no thread");
    turn.s.fresh = false;
    return startTurn(turn);
  }
  if (!outcome.error.message.includes(BUSY)) return freshInstead(turn, "codex refused to resume the thread");
  if (turn.s.resumeAttempts < BUSY_ATTEMPTS) {
    log(turn, "info", "thread is still open in another process", { attempt: turn.s.resumeAttempts, wait: formatDuration(BUSY_WAIT_MS) });
    return setTimer(turn, TIMER.resume, BUSY_WAIT_MS);
  }
  // The session is alive, only somebody holds it: it is not reported as rejected.
  log(turn, "warn", "thread stays open in another process; starting a new one");
  startThread(turn);
}

function freshInstead(turn: Turn, why: string): void {
  turn.s.resumeRejected = true;
  log(turn, "warn", `${why}; starting a new one`);
  startThread(turn);
}

function startThread(turn: Turn): void {
  const { options } = turn.s;
  turn.s.fresh = true;
  step(turn, "thread/start", {
    model: options.model ?? null,
    modelProvider: null,
    profile: null,
    cwd: options.cwd,
    // Null leaves these to the config.toml of the per-task home, which carries the sandbox.
    approvalPolicy: null,
    sandbox: null,
    config: options.thinkingLevel === undefined ? null : { model_reasoning_effort: options.thinkingLevel },
    baseInstructions: null,
    developerInstructions: null,
    compactPrompt: null,
    includeApplyPatchTool: null,
    experimentalRawEvents: false,
    persistExtendedHistory: true,
    ...tier(turn),
  });
}

function onThreadStart(turn: Turn, outcome: RpcOutcome): void {
  if (!outcome.ok) return concludeFailed(turn, `codex thread/start failed: ${rpcErrorText("thread/start", outcome.error)}`, { withStderr: true });
  if (!adoptThread(turn, outcome.result)) return concludeFailed(turn, "codex thread/start returned no thread ID");
  const name = turn.s.options.threadName?.trim() ?? "";
  if (name === "") return startTurn(turn);
  turn.s.phase = "naming";
  step(turn, "thread/name/set", { threadId: turn.s.threadId, name });
}

function adoptThread(turn: Turn, result: unknown): boolean {
  const thread = isObject(result) && isObject(result.thread) ? result.thread : {};
  const id = asString(thread.id);
  if (id === "") return false;
  turn.s.threadId = id;
  turn.s.threadModel = isObject(result) ? asString(result.model) : "";
  return true;
}

function startTurn(turn: Turn): void {
  const { s } = turn;
  const { options } = s;
  const notice = s.fresh && options.resumeExpected === true ? (options.continuityNotice ?? "") : "";
  s.phase = "turnArmed";
  step(turn, "turn/start", {
    threadId: s.threadId,
    input: [{ type: "text", text: notice === "" ? options.prompt : `${notice}\n\n${options.prompt}` }],
    ...(options.thinkingLevel === undefined ? {} : { effort: options.thinkingLevel }),
    ...tier(turn),
  });
}

function onTurnStart(turn: Turn, outcome: RpcOutcome): void {
  if (!outcome.ok) return concludeFailed(turn, `codex turn/start failed: ${rpcErrorText("turn/start", outcome.error)}`, { withStderr: true });
  const started = isObject(outcome.result) && isObject(outcome.result.turn) ? outcome.result.turn : {};
  if (turn.s.turnId === "") turn.s.turnId = asString(started.id);
  setTimer(turn, TIMER.idle, turn.s.limits.semanticInactivityMs);
}

function step(turn: Turn, method: string, params: unknown): void {
  request(turn, method, params);
  setTimer(turn, TIMER.handshake, turn.s.limits.handshakeMs);
}

function tier(turn: Turn): { serviceTier?: string } {
  const { serviceTier } = turn.s.options;
  return serviceTier === undefined ? {} : { serviceTier };
}

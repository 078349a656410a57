import type { InitializeRequest, LoadSessionRequest, McpServer, NewSessionRequest, PromptRequest } from "@agentclientprotocol/sdk";
import { asString, formatDuration, isObject } from "../../../core/index.ts";
import { mcpServers, reachable } from "./mcp.ts";
import { LABEL, concludeFailed } from "./outcome.ts";
import { effortOption, modelChoice, sessionModel } from "./session-options.ts";
import { TIMER, type Turn, askStep, emit, handshakeMs, log, note, pendingMethod, request } from "./state.ts";

const PROTOCOL_VERSION = 1;

/** The first request. No client capability is offered: the agent works in its own process (agents.md 15.1). */
export function startHandshake(turn: Turn): void {
  const params: InitializeRequest = {
    protocolVersion: PROTOCOL_VERSION,
    clientInfo: { name: "multica-agent-sdk", version: "0.2.0" },
    clientCapabilities: {},
  };
  askStep(turn, "initialize", params);
}

export function onInitialized(turn: Turn, result: unknown): void {
  const answer = isObject(result) ? result : {};
  const version = answer.protocolVersion;
  if (version !== undefined && version !== PROTOCOL_VERSION) {
    return concludeFailed(turn, `${LABEL} initialize failed: the agent speaks protocol version ${JSON.stringify(version)}, not ${PROTOCOL_VERSION}`);
  }
  openSession(turn, isObject(answer.agentCapabilities) ? answer.agentCapabilities : {});
}

/** Resumes in the way the agent offers (`session/resume` replays nothing and is preferred), else begins anew. */
function openSession(turn: Turn, capabilities: Readonly<Record<string, unknown>>): void {
  const { cwd, resumeSessionId: wanted } = turn.s.options;
  turn.s.phase = "session";
  const servers = managedServers(turn, capabilities);
  if (servers === null) return;
  const fresh: NewSessionRequest = { cwd: cwd || ".", mcpServers: servers };
  if (wanted === undefined || wanted === "") return askStep(turn, "session/new", fresh);
  const resume: LoadSessionRequest = { ...fresh, sessionId: wanted };
  const session = isObject(capabilities.sessionCapabilities) ? capabilities.sessionCapabilities : {};
  if (isObject(session.resume) || session.resume === true) return askStep(turn, "session/resume", resume);
  if (capabilities.loadSession === true) return askStep(turn, "session/load", resume);
  note(turn, "warn", "the agent cannot continue a session: a new one is started");
  askStep(turn, "session/new", fresh);
}

/** The servers of the agent's record that this program can reach; null: the record cannot be read, and the run has failed. */
function managedServers(turn: Turn, capabilities: Readonly<Record<string, unknown>>): McpServer[] | null {
  const conversion = mcpServers(turn.s.options.mcpConfig);
  if (conversion.kind === "invalid") {
    concludeFailed(turn, `${LABEL}: invalid mcp_config: ${conversion.why}`);
    return null;
  }
  const { servers, dropped } = reachable(conversion.servers, capabilities);
  for (const warning of conversion.warnings) note(turn, "warn", warning);
  if (dropped.length > 0) note(turn, "warn", `the agent does not reach these MCP servers: ${dropped.join(", ")}`);
  return servers;
}

export function onSession(turn: Turn, method: string, result: unknown): void {
  const answer = isObject(result) ? result : {};
  const id = asString(answer.sessionId);
  const wanted = turn.s.options.resumeSessionId ?? "";
  if (method === "session/new" && id === "") return concludeFailed(turn, `${LABEL} session/new returned no session ID`);
  turn.s.resumed = method !== "session/new" && (id === "" || id === wanted);
  if (method !== "session/new" && !turn.s.resumed) log(turn, "warn", "the agent resumed another session than the one asked for");
  turn.s.sessionId = id || wanted;
  turn.s.session = answer;
  turn.s.sessionModel = sessionModel(answer);
  turn.s.phase = "configure";
  emit(turn, { kind: "status", status: "running", sessionId: turn.s.sessionId });
  chooseModel(turn);
}

function chooseModel(turn: Turn): void {
  const model = turn.s.options.model ?? "";
  const choice = model === "" ? null : modelChoice(turn.s.session, turn.s.sessionId, model);
  if (choice === null) return chooseEffort(turn);
  askStep(turn, choice.method, choice.params);
}

/** The model was switched; its refusal ends the run, since another model than the asked one must not do the work. */
export function chooseEffort(turn: Turn): void {
  const level = turn.s.options.thinkingLevel ?? "";
  const option = level === "" ? null : effortOption(turn.s.session, level, (turn.s.options.model ?? "") !== "");
  if (level !== "" && option === null) note(turn, "warn", "the agent does not offer that thinking level");
  if (option === null) return sendPrompt(turn);
  turn.s.effortAsked = true;
  askStep(turn, EFFORT_METHOD, { sessionId: turn.s.sessionId, configId: option, value: level });
}

export const EFFORT_METHOD = "session/set_config_option";

/** From here on updates belong to this turn. */
export function sendPrompt(turn: Turn): void {
  const { options, sessionId } = turn.s;
  turn.s.phase = "prompt";
  turn.effects.push({ type: "clearTimer", id: TIMER.handshake });
  const notice = options.resumeExpected === true && !turn.s.resumed ? options.continuityNotice : undefined;
  const text = [options.systemPrompt, notice, options.prompt].filter((part) => part !== undefined && part !== "").join("\n\n");
  const params: PromptRequest = { sessionId, prompt: [{ type: "text", text }] };
  request(turn, "session/prompt", params);
}

export function onHandshakeTimeout(turn: Turn): void {
  const after = formatDuration(handshakeMs(turn.s.options.timeouts));
  concludeFailed(turn, `${LABEL} ${pendingMethod(turn.s) || "handshake"} timed out after ${after}`);
}

import { readFileSync, readdirSync } from "node:fs";
import { client, methods, type AnyMessage, type SessionUpdate } from "@agentclientprotocol/sdk";
import { describe, expect, it } from "vitest";
import { replay } from "../../support/acp-replay.ts";

const ROOT = new URL("../../fixtures/agents", import.meta.url).pathname;
const recordings = readdirSync(ROOT)
  .filter((name) => name.endsWith("-acp"))
  .flatMap((provider) => readdirSync(`${ROOT}/${provider}`).map((version) => `${provider}/${version}`))
  .flatMap((directory) => ["tool", "tool-fails", "thinking", "resume"].map((kind) => `${directory}/${kind}`))
  .filter((path) => !path.startsWith("gemini-acp") || !path.endsWith("resume"))
  .filter((path) => !path.startsWith("qwen-acp") || path.endsWith("tool") || path.endsWith("resume"));

interface Opinion {
  readonly text: string;
  readonly thoughts: string;
  readonly calls: string[];
  readonly stopReason: string;
}

/** The recording as a stream that goes on whenever the client has written what the recording's client wrote. */
function recordedStream(path: string): { readable: ReadableStream<AnyMessage>; writable: WritableStream<AnyMessage> } {
  const entries = readFileSync(`${ROOT}/${path}.jsonl`, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as { dir: string; line: string });
  const ids = new Map<unknown, unknown>();
  let at = 0;
  let push = (_message: AnyMessage): void => undefined;
  const readable = new ReadableStream<AnyMessage>({ start: (controller) => void (push = (message) => controller.enqueue(message)) });
  const onWrite = (written: AnyMessage): void => {
    while (at < entries.length && entries[at]?.dir !== "in") at += 1;
    const expected = JSON.parse(entries[at]?.line ?? "{}") as { id?: unknown; method?: string };
    if ("id" in written && "method" in written) ids.set(expected.id, written.id);
    for (at += 1; at < entries.length && entries[at]?.dir !== "in"; at += 1) {
      if (entries[at]?.dir !== "out") continue;
      const message = JSON.parse(entries[at]?.line ?? "{}") as { id?: unknown; method?: string };
      const mapped = message.method === undefined ? { ...message, id: ids.get(message.id) } : message;
      push({ jsonrpc: "2.0", ...mapped } as AnyMessage);
    }
  };
  return { readable, writable: new WritableStream<AnyMessage>({ write: onWrite }) };
}

async function secondOpinion(path: string, resumed: string | undefined): Promise<Opinion> {
  const updates: SessionUpdate[] = [];
  let gate = false;
  const app = client({ name: "second-opinion" })
    .onNotification(methods.client.session.update, ({ params }) => void (gate && updates.push(params.update)))
    .onRequest(methods.client.session.requestPermission, ({ params }) => ({
      outcome: { outcome: "selected", optionId: params.options.find((option) => option.kind === "allow_always")?.optionId ?? "" },
    }));
  const stopReason = await app.connectWith(recordedStream(path), async (context) => {
    const { agentCapabilities } = await context.request(methods.agent.initialize, { protocolVersion: 1, clientCapabilities: {} });
    const session = { cwd: "/tmp/demo/workdir", mcpServers: [] };
    let sessionId = resumed ?? "";
    if (resumed === undefined) ({ sessionId } = await context.request(methods.agent.session.new, session));
    else {
      const resume = agentCapabilities?.sessionCapabilities?.resume !== undefined && agentCapabilities.sessionCapabilities.resume !== null;
      await context.request<unknown>(resume ? methods.agent.session.resume : methods.agent.session.load, { ...session, sessionId });
    }
    gate = true;
    const answer = await context.request(methods.agent.session.prompt, { sessionId, prompt: [{ type: "text", text: "p" }] });
    return answer.stopReason;
  });
  const chunks = (kind: string): string =>
    updates.flatMap((update) => (update.sessionUpdate === kind && "content" in update ? [(update.content as { text?: string }).text ?? ""] : [])).join("");
  const calls = updates.flatMap((update) => (update.sessionUpdate === "tool_call" ? [update.toolCallId] : []));
  return { text: chunks("agent_message_chunk"), thoughts: chunks("agent_thought_chunk"), calls: [...new Set(calls)], stopReason };
}

describe("the SDK's client, as a second opinion", () => {
  it.each(recordings)("%s: hears the same texts, thoughts and calls", async (path) => {
    const ours = replay(path);
    const resumed = typeof ours.meta.resumed === "string" ? ours.meta.resumed : undefined;
    const theirs = await secondOpinion(path, resumed);
    const join = (kind: "text" | "thinking"): string => ours.messages.flatMap((message) => (message.kind === kind ? [message.content] : [])).join("");
    expect({
      text: join("text"),
      thoughts: join("thinking"),
      calls: ours.messages.flatMap((message) => (message.kind === "tool_use" ? [message.callId] : [])),
      stopReason: ours.terminal?.status === "completed" ? "end_turn" : "",
    }).toEqual(theirs);
  });
});

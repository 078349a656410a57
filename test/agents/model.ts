import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { onTestFinished } from "vitest";

/** What the scripted model does next: run a shell command, or say something and end the turn. */
export type Step = { readonly command: string } | { readonly text: string };

export interface ModelRequest {
  /** Everything the agent told the model, as one text. */
  readonly text: string;
  /** How many tool results the conversation has had since the last user prompt. */
  readonly results: number;
  /** The last tool result, if any. */
  readonly lastResult: string;
}

export interface Model {
  readonly url: string;
  readonly requests: ModelRequest[];
}

/**
 * A model on 127.0.0.1 that speaks the OpenAI Responses stream and follows a script instead of thinking.
 * Real agents run against it with their own processes, tools and session stores.
 */
export async function scriptedModel(next: (request: ModelRequest) => Step): Promise<Model> {
  const requests: ModelRequest[] = [];
  const server: Server = createServer((request, response) => {
    void answer(request, response, requests, next);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the model has no port");
  return { url: `http://127.0.0.1:${address.port}`, requests };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  requests: ModelRequest[],
  next: (request: ModelRequest) => Step,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (request.method !== "POST" || !(request.url ?? "").startsWith("/v1/responses")) {
    response.writeHead(404).end();
    return;
  }
  const read = readRequest(JSON.parse(Buffer.concat(chunks).toString("utf8")) as ResponsesBody);
  requests.push(read);
  stream(response, next(read), requests.length);
}

interface ResponsesBody {
  readonly input?: readonly InputItem[];
}

interface InputItem {
  readonly type?: string;
  readonly role?: string;
  readonly output?: unknown;
  readonly content?: unknown;
}

function readRequest(body: ResponsesBody): ModelRequest {
  const input = body.input ?? [];
  const lastUser = input.findLastIndex((item) => item.type === "message" && item.role === "user");
  const results = input.slice(lastUser + 1).filter((item) => item.type === "function_call_output");
  const last = results.at(-1)?.output;
  return {
    text: JSON.stringify(input),
    results: results.length,
    lastResult: last === undefined ? "" : typeof last === "string" ? last : JSON.stringify(last),
  };
}

function stream(response: ServerResponse, step: Step, count: number): void {
  const id = `resp_${count}`;
  const item =
    "command" in step
      ? {
          type: "function_call",
          id: `fc_${count}`,
          call_id: `call_${count}`,
          name: "exec_command",
          arguments: JSON.stringify({ cmd: step.command, yield_time_ms: 20_000 }),
        }
      : { type: "message", role: "assistant", id: `msg_${count}`, content: [{ type: "output_text", text: step.text }] };
  const usage = { input_tokens: 100, input_tokens_details: { cached_tokens: 20 }, output_tokens: 10, output_tokens_details: null, total_tokens: 110 };
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  for (const event of [
    { type: "response.created", response: { id } },
    { type: "response.output_item.added", output_index: 0, item },
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: { id, usage } },
  ]) {
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  response.end();
}

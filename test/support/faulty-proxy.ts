import { type AddressInfo, connect as connectTcp } from "node:net";
import { type IncomingMessage, createServer, request as send } from "node:http";
import { onTestFinished } from "vitest";

export type Fault = "drop" | "lost-answer" | "delay" | "error" | "hang" | "duplicate";
const FAULTS: readonly Fault[] = ["drop", "lost-answer", "delay", "error", "hang", "duplicate"];

export interface FaultyProxy {
  readonly url: string;
  /** Share of requests that meet a fault, and of socket chunks at which the connection freezes or breaks; 0…1. */
  share: number;
  readonly met: Readonly<Record<string, number>>;
}

const HANG_MS = 1500;

/**
 * An HTTP proxy in front of a server that does what networks do: requests that never arrive, answers that never come, late
 * or 503 ones, requests that arrive twice, requests that hang, and sockets that break or are silent for a while.
 */
export async function faultyProxy(target: () => number, random: () => number, spare: (path: string) => boolean = () => false): Promise<FaultyProxy> {
  const state = { share: 0 };
  const met: Record<string, number> = {};
  const timers = new Set<NodeJS.Timeout>();
  const later = (ms: number, run: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, ms);
    timers.add(timer);
  };
  const pick = (path: string): Fault | null => {
    if (spare(path) || random() >= state.share) return null;
    const fault = FAULTS[Math.floor(random() * FAULTS.length)] ?? "drop";
    met[fault] = (met[fault] ?? 0) + 1;
    return fault;
  };
  const forward = (request: IncomingMessage, body: Buffer, onAnswer: (answer: IncomingMessage, text: Buffer) => void, onError: () => void): void => {
    const upstream = send({ host: "127.0.0.1", port: target(), method: request.method, path: request.url, headers: { ...request.headers, connection: "close" } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => onAnswer(answer, Buffer.concat(chunks)));
      answer.on("error", onError);
    });
    upstream.on("error", onError);
    upstream.end(body);
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("error", () => undefined);
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const cut = (): void => void request.socket.destroy();
      const pass = (): void =>
        forward(
          request,
          body,
          (answer, text) => {
            if (response.destroyed) return;
            response.writeHead(answer.statusCode ?? 502, { "content-type": answer.headers["content-type"] ?? "text/plain", ...(answer.headers.etag === undefined ? {} : { etag: answer.headers.etag }) });
            response.end(text);
          },
          cut,
        );
      switch (pick(request.url ?? "")) {
        case "drop":
          return cut();
        case "lost-answer":
          return forward(request, body, cut, cut);
        case "delay":
          return later(random() * 400, pass);
        case "error":
          response.writeHead(503);
          return void response.end("busy");
        case "hang":
          return later(HANG_MS, cut);
        case "duplicate":
          return forward(request, body, pass, cut);
        case null:
          return pass();
      }
    });
  });
  server.on("upgrade", (request, client, head) => {
    const upstream = connectTcp(target(), "127.0.0.1");
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on("error", end).on("close", end);
    const lines = [`${request.method} ${request.url} HTTP/1.1`, ...Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}`)];
    upstream.write(`${lines.join("\r\n")}\r\n\r\n`);
    upstream.write(head);
    const relay = (from: NodeJS.ReadWriteStream, to: NodeJS.ReadWriteStream): void => {
      let frozen = false;
      from.on("data", (chunk: Buffer) => {
        if (frozen) return;
        if (random() >= state.share / 4) return void to.write(chunk);
        met["socket"] = (met["socket"] ?? 0) + 1;
        if (random() < 0.5) return end();
        // Half open: it looks alive and carries nothing, until somebody ends it.
        frozen = true;
        later(HANG_MS, end);
      });
    };
    relay(client, upstream);
    relay(upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const timer of timers) clearTimeout(timer);
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    met,
    get share() {
      return state.share;
    },
    set share(value) {
      state.share = value;
    },
  };
}

import { type AddressInfo, connect as connectTcp } from "node:net";
import { type IncomingMessage, createServer, request as send } from "node:http";
import { onTestFinished } from "vitest";
import { FrameSplitter } from "./frame-splitter.ts";

export type Fault = "drop" | "lost-answer" | "delay" | "error" | "hang" | "duplicate" | "late-request" | "late-answer";
export const FAULTS: readonly Fault[] = ["drop", "lost-answer", "delay", "error", "hang", "duplicate", "late-request", "late-answer"];

export interface FaultyProxy {
  readonly url: string;
  /** Share of requests that meet a fault, and of socket chunks at which the connection freezes or breaks; 0…1. */
  share: number;
  readonly met: Readonly<Record<string, number>>;
}

const HANG_MS = 1500;
/** What is to be overtaken waits for that, but not longer than this. */
const OVERTAKEN_WITHIN_MS = 600;

/**
 * An HTTP proxy in front of a server that does what networks do: requests that never arrive, answers that never come, late
 * or 503 ones, requests that arrive twice, requests that hang, requests and answers that later ones overtake, and sockets
 * that break, are silent for a while or bring two messages in the other order.
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
  const count = (what: string): void => void (met[what] = (met[what] ?? 0) + 1);
  // Dealt like cards, so that a short run meets each of them.
  let deck: Fault[] = [];
  const pick = (path: string): Fault | null => {
    if (spare(path) || random() >= state.share) return null;
    if (deck.length === 0) deck = [...FAULTS];
    const [fault = "drop"] = deck.splice(Math.floor(random() * deck.length), 1);
    if (fault !== "late-request" && fault !== "late-answer") count(fault);
    return fault;
  };
  /** Requests and answers that wait until a later one was answered. */
  const behind = new Set<{ readonly order: number; readonly fault: Fault; readonly run: () => void }>();
  const letOvertake = (order: number, fault: Fault, run: () => void): void => {
    const item = { order, fault, run };
    behind.add(item);
    later(OVERTAKEN_WITHIN_MS, () => behind.delete(item) && run());
  };
  const answered = (order: number): void => {
    for (const item of [...behind].filter((one) => one.order < order && behind.delete(one))) {
      count(item.fault);
      item.run();
    }
  };
  let requests = 0;
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
    const order = (requests += 1);
    const chunks: Buffer[] = [];
    request.on("error", () => undefined);
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const cut = (): void => void request.socket.destroy();
      const write = (answer: IncomingMessage, text: Buffer): void => {
        if (response.destroyed) return;
        response.writeHead(answer.statusCode ?? 502, { "content-type": answer.headers["content-type"] ?? "text/plain", ...(answer.headers.etag === undefined ? {} : { etag: answer.headers.etag }) });
        response.end(text);
        answered(order);
      };
      const pass = (): void => forward(request, body, write, cut);
      const fault = pick(request.url ?? "");
      switch (fault) {
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
        case "late-request":
          return letOvertake(order, fault, pass);
        case "late-answer":
          return forward(request, body, (answer, text) => letOvertake(order, fault, () => write(answer, text)), cut);
        case null:
          return pass();
      }
    });
  });
  const upgraded = new Set<() => void>();
  server.on("upgrade", (request, client, head) => {
    const upstream = connectTcp(target(), "127.0.0.1");
    const end = (): void => {
      upgraded.delete(end);
      client.destroy();
      upstream.destroy();
    };
    upgraded.add(end);
    for (const socket of [client, upstream]) socket.on("error", end).on("end", end).on("close", end);
    const lines = [`${request.method} ${request.url} HTTP/1.1`, ...Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}`)];
    upstream.write(`${lines.join("\r\n")}\r\n\r\n`);
    upstream.write(head);
    const relay = (from: NodeJS.ReadWriteStream, to: NodeJS.ReadWriteStream): void => {
      const splitter = new FrameSplitter();
      let frozen = false;
      let held: Buffer | null = null;
      const pass = (bytes: Buffer): void => {
        to.write(bytes);
        if (held === null) return;
        to.write(held);
        held = null;
        count("frames-swapped");
      };
      const send = ({ bytes, isMessage }: { bytes: Buffer; isMessage: boolean }): void => {
        if (frozen) return;
        if (random() >= state.share / 3) return pass(bytes);
        const what = random();
        if (isMessage && held === null && what < 0.4) {
          held = bytes;
          return later(OVERTAKEN_WITHIN_MS, () => {
            if (held !== bytes) return;
            held = null;
            if (!frozen) to.write(bytes);
          });
        }
        count("socket");
        if (what < 0.7) return end();
        // Half open: it looks alive and carries nothing, until somebody ends it.
        frozen = true;
        later(HANG_MS, end);
      };
      from.on("data", (chunk: Buffer) => splitter.push(chunk).forEach(send));
    };
    relay(client, upstream);
    relay(upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const timer of timers) clearTimeout(timer);
    server.closeAllConnections();
    for (const end of upgraded) end();
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

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { waitFor } from "../support/wait.ts";

export interface Notification {
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** A real `codex app-server`, asked one request at a time. */
export class AppServer {
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (message: Record<string, unknown>) => void>();
  readonly notifications: Notification[] = [];
  readonly ended: Promise<void>;
  /** What it wrote to stderr. */
  errors = "";
  #next = 1;

  /** Without an environment of its own it gets a home that is everything: the user's and Codex's. */
  constructor(executable: string, home: string, cwd: string, env: Readonly<Record<string, string>> = { HOME: home, CODEX_HOME: home }, args: readonly string[] = []) {
    this.#child = spawn(executable, ["app-server", "--listen", "stdio://", ...args], {
      cwd,
      env: { PATH: process.env["PATH"] ?? "", MOCK_API_KEY: "sk-mock", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    onTestFinished(() => void this.#child.kill("SIGKILL"));
    this.ended = new Promise((resolve) => this.#child.once("exit", () => resolve()));
    const { stdout } = this.#child;
    if (stdout === null) throw new Error("no pipe");
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.errors += chunk.toString()));
    createInterface({ input: stdout }).on("line", (line) => {
      const message = JSON.parse(line) as Record<string, unknown>;
      if (typeof message["id"] === "number" && message["method"] === undefined) this.#answers.get(message["id"])?.(message);
      else if (typeof message["method"] === "string") this.notifications.push(message as unknown as Notification);
    });
  }

  async ask<T>(method: string, params: unknown): Promise<T> {
    const id = this.#next++;
    const answer = new Promise<Record<string, unknown>>((resolve) => this.#answers.set(id, resolve));
    this.#child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    const message = await answer;
    if (message["error"] !== undefined) throw new Error(`${method}: ${JSON.stringify(message["error"])}`);
    return message["result"] as T;
  }

  async start(): Promise<void> {
    await this.ask("initialize", { clientInfo: { name: "multica-test", title: "test", version: "0" } });
    this.#child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", method: "initialized" })}\n`);
  }

  /** Runs one turn to its end; its status. */
  async turn(threadId: string, text: string): Promise<string> {
    const ends = (): Notification[] => this.notifications.filter((one) => one.method === "turn/completed" && one.params["threadId"] === threadId);
    const before = ends().length;
    await this.ask("turn/start", { threadId, input: [{ type: "text", text }] });
    await waitFor("the end of the turn", () => ends().length > before, 60_000);
    return String((ends().at(-1)?.params["turn"] as Record<string, unknown> | undefined)?.["status"]);
  }

  /** What it says about its configuration. */
  complaints(): string[] {
    return this.notifications.filter((one) => one.method === "configWarning" || one.method === "warning").map((one) => String(one.params["summary"] ?? one.params["message"]));
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.ended;
  }
}

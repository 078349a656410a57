#!/usr/bin/env node
// An agent without a model: it speaks the Agent Client Protocol (ACP) on stdin and stdout and does the work of an issue
// by running the real `multica` commands. Copy it to begin an agent of your own; README.md explains the parts.
import { randomUUID } from "node:crypto";
import { spawn } from "node:child_process";
import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { RequestError, agent, methods, ndJsonStream } from "@agentclientprotocol/sdk";

const VERSION = "1.0.0";
if (process.argv.includes("--version")) {
  process.stdout.write(`echo-agent ${VERSION}\n`);
  process.exit(0);
}

/** Sessions of this process: id → { id, cwd, turns, stop }. They are kept on disk so that a later process can go on. */
const sessions = new Map();
const sessionFile = (cwd, id) => join(cwd, ".echo-agent", `${id}.json`);

async function saveSession(session) {
  await mkdir(join(session.cwd, ".echo-agent"), { recursive: true });
  await writeFile(sessionFile(session.cwd, session.id), JSON.stringify({ turns: session.turns }));
}

async function openSession(cwd, id) {
  if (!/^[A-Za-z0-9-]+$/.test(id)) throw RequestError.resourceNotFound(id);
  const text = await readFile(sessionFile(cwd, id), "utf8").catch(() => {
    throw RequestError.resourceNotFound(`session not found: ${id}`);
  });
  const session = { id, cwd, turns: JSON.parse(text).turns, stop: new AbortController() };
  sessions.set(id, session);
  return session;
}

// One turn: what is told to the client while it runs.

class Turn {
  constructor(session, client, prompt) {
    Object.assign(this, { session, client, prompt, ignoreCancel: false });
  }

  /** Throws when the client cancelled: every step asks before it begins. */
  check() {
    if (!this.ignoreCancel) this.session.stop.signal.throwIfAborted();
  }

  update(update) {
    return this.client.notify(methods.client.session.update, { sessionId: this.session.id, update });
  }

  say(text, kind = "agent_message_chunk") {
    return this.update({ sessionUpdate: kind, content: { type: "text", text } });
  }

  async pause(ms) {
    await sleep(ms, undefined, this.ignoreCancel ? {} : { signal: this.session.stop.signal });
  }

  /** Runs a command and shows it as a tool call; resolves to its stdout, throws when it fails. */
  async run(command, args, cwd = this.session.cwd) {
    this.check();
    const toolCallId = randomUUID();
    const rawInput = { command: [command, ...args].join(" "), cwd };
    await this.update({ sessionUpdate: "tool_call", toolCallId, title: rawInput.command, kind: "execute", status: "in_progress", rawInput });
    const { code, stdout, stderr } = await execute(command, args, cwd, this.session.stop.signal);
    const text = `${stdout}${stderr}`.trim();
    await this.update({
      sessionUpdate: "tool_call_update",
      toolCallId,
      status: code === 0 ? "completed" : "failed",
      content: [{ type: "content", content: { type: "text", text } }],
    });
    this.check();
    if (code !== 0) throw new Error(`${command} ${args.slice(0, 3).join(" ")} ended with status ${code}: ${text.slice(-2000)}`);
    return stdout;
  }
}

function execute(command, args, cwd, signal) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, signal, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk) => (stderr += chunk));
    child.on("error", (error) => (signal.aborted ? resolve({ code: -1, stdout, stderr }) : reject(error)));
    child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

// The work: read the issue, change a file in a checkout, commit, comment, hand over for review.

async function work(turn) {
  const issueId = await findIssue(turn);
  if (issueId === undefined) return turn.say(`You said: ${turn.prompt.slice(-500)}`);
  const issue = JSON.parse(await turn.run("multica", ["issue", "get", issueId, "--output", "json"]));
  // The comment that started this turn decides, an older request does not: its text is quoted in the prompt.
  const parent = findParent(turn.prompt);
  const request = parent === undefined ? (issue.description ?? "") : turn.prompt.replace(/^> ?/gm, "");
  for (const line of request.matchAll(/^\s*echo:\s*(\S+)[ \t]*(.*)$/gm)) await awkward(turn, line[1], line[2].trim());

  await turn.run("multica", ["issue", "status", issueId, "in_progress"]);
  const commit = await changeRepository(turn, issue);
  const summary = commit === undefined ? "There is no repository in this workspace, so nothing was changed." : `Committed ${commit.hash} on branch ${commit.branch}.`;
  await comment(turn, issueId, parent, `${summary}\n\nThis was turn ${turn.session.turns} of this session.\n`);
  await turn.run("multica", ["issue", "status", issueId, "in_review"]);
  await turn.say(`${issue.identifier ?? issueId}: ${summary}`);
}

/** The daemon leaves the task's ids in the workdir; outside of it, the prompt names the issue. */
async function findIssue(turn) {
  const marker = await readFile(join(turn.session.cwd, ".multica", "daemon_task_context.json"), "utf8").catch(() => "{}");
  return JSON.parse(marker).issue_id ?? /multica issue get ([0-9a-fA-F-]{36}|[A-Z][A-Z0-9]*-\d+)/.exec(turn.prompt)?.[1];
}

/** The comment to answer under: the last one the prompt tells us to use, so never one of an earlier turn. */
function findParent(prompt) {
  return [...prompt.matchAll(/--parent ([0-9a-fA-F-]{36})/g)].at(-1)?.[1];
}

async function changeRepository(turn, issue) {
  const listed = JSON.parse(await turn.run("multica", ["repo", "list", "--output", "json"]));
  const url = (Array.isArray(listed) ? listed : (listed.repos ?? []))[0]?.url;
  if (url === undefined) return undefined;
  const directory = (await turn.run("multica", ["repo", "checkout", url])).trim().split("\n").at(-1);
  const file = "ECHO.md";
  await appendFile(join(directory, file), `- ${issue.identifier ?? issue.id}: ${issue.title} (turn ${turn.session.turns})\n`);
  await turn.run("git", ["add", file], directory);
  const who = ["-c", "user.name=echo-agent", "-c", "user.email=echo-agent@localhost"];
  await turn.run("git", [...who, "commit", "-m", `Echo ${issue.identifier ?? issue.id}: ${issue.title}`], directory);
  const hash = (await turn.run("git", ["rev-parse", "HEAD"], directory)).trim();
  const branch = (await turn.run("git", ["rev-parse", "--abbrev-ref", "HEAD"], directory)).trim();
  return { hash, branch };
}

async function comment(turn, issueId, parent, text) {
  const file = `reply-${randomUUID()}.md`;
  await writeFile(join(turn.session.cwd, file), text);
  try {
    const under = parent === undefined ? [] : ["--parent", parent];
    await turn.run("multica", ["issue", "comment", "add", issueId, "--content-file", `./${file}`, ...under]);
  } finally {
    await rm(join(turn.session.cwd, file), { force: true });
  }
}

// Awkward behaviour on request, for tests: lines `echo: <what>` in the issue's description (or in the new comment).

async function awkward(turn, what, value) {
  switch (what) {
    case "sleep":
      return turn.pause(milliseconds(value));
    case "messages":
      for (let n = 1; n <= Number(value); n += 1) await turn.say(`message ${n}\n`);
      return undefined;
    case "print":
      return turn.say("x".repeat(Number.parseInt(value || "1", 10) * 1024 * 1024));
    case "run":
      return turn.run("sh", ["-c", value]);
    case "prompt":
      return turn.say(`${turn.prompt}\n`);
    case "ignore-cancel":
      turn.ignoreCancel = true;
      process.on("SIGTERM", () => {});
      return undefined;
    case "fork-holder":
      // It leaves our group and keeps our stdout open: neither a group signal nor the pipe's end tells of it.
      spawn(process.execPath, ["-e", "setTimeout(() => {}, 600000)"], { detached: true, stdio: ["ignore", "inherit", "inherit"] }).unref();
      return undefined;
    case "crash":
      await turn.say("about to crash");
      await sleep(50);
      return process.exit(3);
    case "fail":
      throw new Error(value || "failed on request");
    case "hang":
      return turn.pause(2 ** 31 - 1);
    case "ask-permission":
      return askPermission(turn);
    default:
      return turn.say(`I do not know "echo: ${what}".`, "agent_thought_chunk");
  }
}

function milliseconds(text) {
  const [, number = "1", unit = "s"] = /^(\d+(?:\.\d+)?)\s*(ms|s|m)?$/.exec(text) ?? [];
  return Number(number) * { ms: 1, s: 1000, m: 60_000 }[unit];
}

async function askPermission(turn) {
  const allow = { optionId: "yes", name: "Allow once", kind: "allow_once" };
  const options = [allow, { optionId: "no", name: "Reject", kind: "reject_once" }];
  const toolCall = { toolCallId: randomUUID(), title: "go on", kind: "other", status: "pending" };
  const request = { sessionId: turn.session.id, toolCall, options };
  const { outcome } = await turn.client.request(methods.client.session.requestPermission, request);
  if (outcome.outcome !== "selected" || outcome.optionId !== "yes") throw new Error("permission was not given");
  await turn.say("permission given\n");
}

// The protocol: which requests this agent answers.

const connection = agent({ name: "echo-agent" })
  .onRequest(methods.agent.initialize, () => ({
    protocolVersion: 1,
    agentInfo: { name: "echo-agent", version: VERSION },
    agentCapabilities: { loadSession: true, sessionCapabilities: { resume: {} } },
  }))
  .onRequest(methods.agent.session.new, async ({ params }) => {
    const session = { id: randomUUID(), cwd: params.cwd, turns: 0, stop: new AbortController() };
    sessions.set(session.id, session);
    await saveSession(session);
    return { sessionId: session.id };
  })
  .onRequest(methods.agent.session.resume, async ({ params }) => {
    await openSession(params.cwd, params.sessionId);
    return {};
  })
  .onRequest(methods.agent.session.load, async ({ params, client }) => {
    // Unlike resume, load tells the client the conversation so far.
    const session = await openSession(params.cwd, params.sessionId);
    await new Turn(session, client, "").say(`(${session.turns} earlier turns)`);
    return {};
  })
  .onRequest(methods.agent.session.prompt, async ({ params, client }) => {
    const session = sessions.get(params.sessionId);
    if (session === undefined) throw RequestError.resourceNotFound(`session not found: ${params.sessionId}`);
    session.stop = new AbortController();
    session.turns += 1;
    await saveSession(session);
    const prompt = params.prompt.map((block) => (block.type === "text" ? block.text : "")).join("\n");
    const turn = new Turn(session, client, prompt);
    try {
      await work(turn);
      return { stopReason: "end_turn" };
    } catch (error) {
      if (session.stop.signal.aborted) return { stopReason: "cancelled" };
      throw RequestError.internalError({ details: error.message }, error.message);
    }
  })
  .onNotification(methods.agent.session.cancel, ({ params }) => sessions.get(params.sessionId)?.stop.abort())
  .connect(ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin)));

await connection.closed;
process.exit(0);

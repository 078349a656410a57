import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AgentMessage, type AgentResult, type AgentRun, type RunOptions, getProvider, planLaunch, startAgentRun } from "../../../src/lib/agents/index.ts";
import { findByEnv, processEnv, systemClock } from "../../../src/lib/platform/index.ts";
import { makeRemote, testGit } from "../../support/git.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const ECHO = new URL("../../../examples/agents/echo-agent/echo-agent.mjs", import.meta.url).pathname;
const STUB = new URL("../../fixtures/agents-bin/multica-stub.mjs", import.meta.url).pathname;
const ISSUE = "0f6d3c1e-0000-4000-8000-0000000000b1";
const PARENT = "0f6d3c1e-0000-4000-8000-0000000000c1";

interface World {
  readonly cwd: string;
  readonly repo: string;
  start(description: string, change?: Partial<RunOptions>, controls?: { signal?: AbortSignal }): Promise<AgentRun>;
  calls(): { args: string[]; content?: string }[];
}

let count = 0;

function world(): World {
  const base = tempDir("multica-echo-");
  const cwd = join(base, "workdir");
  const bin = join(base, "bin");
  mkdirSync(cwd);
  mkdirSync(bin);
  symlinkSync(STUB, join(bin, "multica"));
  const git = testGit(base);
  const repo = makeRemote(git, join(base, "origin"));
  const log = join(base, "calls.jsonl");
  writeFileSync(log, "");
  const spec = getProvider("acp");
  return {
    cwd,
    repo,
    calls: () => readFileSync(log, "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as { args: string[]; content?: string }),
    async start(description, change = {}, controls = {}) {
      const issue = { id: ISSUE, identifier: "MUL-1", title: "Say hello", description };
      const marker = `echo-agent-test-${process.pid}-${(count += 1)}`;
      const taskEnv = {
        ...git.env,
        MULTICA_TASK_ID: marker,
        PATH: [bin, dirname(process.execPath), process.env["PATH"]].join(delimiter),
        STUB_LOG: log,
        STUB_ISSUE: JSON.stringify(issue),
        STUB_REPO: repo,
      };
      const options = { cwd, prompt: `Work on the issue. Begin with \`multica issue get ${ISSUE} --output json\`.`, ...change };
      const plan = planLaunch({ spec, executable: ECHO, options, inheritedEnv: processEnv(), taskEnv });
      const run = await startAgentRun({ spec, plan, options, clock: systemClock, ...controls });
      onTestFinished(async () => {
        await run.finished;
        expect(findByEnv("MULTICA_TASK_ID", marker)).toEqual([]);
      });
      return run;
    },
  };
}

async function read(run: AgentRun): Promise<{ messages: AgentMessage[]; result: AgentResult }> {
  const messages: AgentMessage[] = [];
  for await (const message of run.messages) messages.push(message);
  return { messages, result: await run.result };
}

const verbs = (calls: { args: string[] }[]): string[] => calls.map(({ args }) => args.filter((arg) => !arg.startsWith("-")).slice(0, 2).join(" "));

describe("the example agent", () => {
  it("prints its version", () => {
    expect(execFileSync(ECHO, ["--version"], { encoding: "utf8", env: { PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}` } })).toMatch(/^echo-agent \d+\.\d+\.\d+\n$/);
  });

  it("is small enough to be read", () => {
    expect(readFileSync(ECHO, "utf8").split("\n").length).toBeLessThan(250);
  });

  it("does the whole work: read, check out, commit, comment, hand over", async () => {
    const place = world();
    const { messages, result } = await read(await place.start("Please."));
    expect(result).toMatchObject({ status: "completed", error: "" });
    expect(verbs(place.calls())).toEqual(["issue get", "issue status", "repo list", "repo checkout", "issue comment", "issue status"]);
    const hash = execFileSync("git", ["rev-parse", "HEAD"], { cwd: join(place.cwd, "repo"), encoding: "utf8" }).trim();
    expect(result.output).toContain(hash);
    expect(readFileSync(join(place.cwd, "repo", "ECHO.md"), "utf8")).toBe("- MUL-1: Say hello (turn 1)\n");
    expect(place.calls().find(({ content }) => content !== undefined)?.content).toContain(hash);
    expect(place.calls().at(-1)?.args).toEqual(["issue", "status", ISSUE, "in_review"]);
    const uses = messages.filter((message) => message.kind === "tool_use");
    expect(uses.length).toBe(messages.filter((message) => message.kind === "tool_result").length);
    expect(uses[0]).toMatchObject({ tool: "terminal", input: { command: `multica issue get ${ISSUE} --output json` } });
  });

  it("answers under the comment that woke it, obeys that comment and not the older description, and resumes its session", async () => {
    const place = world();
    const first = await read(await place.start(""));
    const prompt = `> echo: messages 2\n\n\`multica issue get ${ISSUE}\` … \`multica issue comment add ${ISSUE} --parent ${PARENT} --content-file ./reply.md\``;
    const second = await read(await place.start("echo: crash", { prompt, resumeSessionId: first.result.sessionId }));
    expect(second.result).toMatchObject({ status: "completed", sessionId: first.result.sessionId });
    expect(place.calls().filter(({ content }) => content !== undefined).at(-1)?.args.slice(-2)).toEqual(["--parent", PARENT]);
    expect(readFileSync(join(place.cwd, "repo", "ECHO.md"), "utf8")).toContain("(turn 2)");
    expect(second.messages.filter((message) => message.kind === "text" && message.content.startsWith("message "))).toHaveLength(2);
  });

  it("rejects a session it does not know", async () => {
    const { result } = await read(await world().start("", { resumeSessionId: "0f6d3c1e-0000-4000-8000-00000000dead" }));
    expect(result).toMatchObject({ status: "failed", resumeRejected: true, sessionId: "" });
  });

  it("sends many messages and a very long one, and nothing of it is lost", async () => {
    const { messages, result } = await read(await world().start("echo: messages 500\necho: print 10MB"));
    expect(result.status).toBe("completed");
    const text = messages.flatMap((message) => (message.kind === "text" ? [message.content] : [])).join("");
    for (const n of [1, 250, 500]) expect(text).toContain(`message ${n}\n`);
    expect(text.lastIndexOf("x") - text.indexOf("x") + 1).toBe(10 * 1024 * 1024);
  });

  it("asks for permission and goes on when it is given", async () => {
    const { messages, result } = await read(await world().start("echo: ask-permission"));
    expect(result.status).toBe("completed");
    expect(messages).toContainEqual({ kind: "text", content: "permission given\n" });
  });

  it("crashes in the middle, and fails on request", async () => {
    expect((await read(await world().start("echo: crash"))).result).toMatchObject({ status: "failed", error: expect.stringContaining("exit status 3") });
    expect((await read(await world().start("echo: fail out of paper"))).result).toMatchObject({ status: "failed", error: expect.stringContaining("out of paper") });
  });

  it("is cancelled while it sleeps, and while it hangs", async () => {
    for (const what of ["echo: sleep 10m", "echo: hang"]) {
      const place = world();
      const stop = new AbortController();
      const run = await place.start(what, {}, { signal: stop.signal });
      await waitFor("the issue to be read", () => place.calls().length > 0);
      stop.abort();
      expect((await read(run)).result).toMatchObject({ status: "aborted" });
    }
  });

  it("is ended although it ignores cancel and SIGTERM", async () => {
    const place = world();
    const stop = new AbortController();
    const run = await place.start("echo: ignore-cancel\necho: messages 1\necho: sleep 10m", {}, { signal: stop.signal });
    const iterator = run.messages[Symbol.asyncIterator]();
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) if (next.value.kind === "text") break;
    stop.abort();
    expect(await run.result).toMatchObject({ status: "aborted" });
    await run.finished;
  });

  it("leaves no process behind although it forked one that holds its stdout", async () => {
    const { result } = await read(await world().start("echo: fork-holder"));
    expect(result.status).toBe("completed");
  });
});

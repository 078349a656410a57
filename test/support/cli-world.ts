import { expect } from "vitest";
import { type CliResult, runCli } from "./cli.ts";
import { type LiveServer, liveServer } from "./live-server.ts";
import { tempDir } from "./temp.ts";

/** Somebody who types commands: a person, or an agent in its task. */
export interface Typist {
  readonly cwd: string;
  /** Runs one command to its end. */
  run(args: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<CliResult>;
  /** Runs it with `--output json`, expects success, returns the document. */
  json<T = Record<string, unknown>>(args: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<T>;
  /** Runs it and expects this exit code, an empty stdout and this text on stderr. */
  fails(args: readonly string[], exit: number, text: string, options?: { input?: string; env?: Record<string, string> }): Promise<void>;
}

export interface CliWorld {
  readonly server: LiveServer;
  readonly runtime: string;
  readonly agent: string;
  readonly person: Typist;
  /** Claims the one task that waits and starts it: the typist has its environment and nothing of the person's. */
  claim(): Promise<Typist & { taskId: string; issueId: string }>;
}

/** The real program as processes of its own against the real embedded server. */
export async function cliWorld(): Promise<CliWorld> {
  const server = await liveServer();
  const runtime = await server.register();
  const agent = await server.agent(runtime, "Dev");
  const base = { MULTICA_SERVER_URL: server.url, MULTICA_WORKSPACE_ID: server.workspaceId };
  return {
    server,
    runtime,
    agent,
    person: typist({ ...base, MULTICA_TOKEN: server.token }),
    claim: async () => {
      const [task] = await server.claim([runtime]);
      if (task === undefined) throw new Error("nothing to claim");
      await server.post(`/api/daemon/tasks/${task.id}/start`);
      const identity = { MULTICA_TOKEN: task.auth_token, MULTICA_TASK_ID: task.id, MULTICA_AGENT_ID: String(task["agent_id"]), MULTICA_TASK_CONFIG_ROOT: tempDir() };
      return { ...typist({ ...base, ...identity }), taskId: task.id, issueId: task.issue_id };
    },
  };
}

function typist(identity: Readonly<Record<string, string>>): Typist {
  const cwd = tempDir("multica-typist-");
  const home = tempDir("multica-home-");
  const run: Typist["run"] = (args, { input, env } = {}) => runCli(args, { home, cwd, env: { ...identity, ...env }, ...(input === undefined ? {} : { input }) });
  return {
    cwd,
    run,
    json: async <T>(args: readonly string[], options?: { input?: string; env?: Record<string, string> }) => {
      const result = await run([...args, ...(args[0] === "attachment" ? [] : ["--output", "json"])], options);
      if (result.code !== 0) throw new Error(`multica ${args.join(" ")} ended with ${result.code}:\n${result.stderr}`);
      return JSON.parse(result.stdout) as T;
    },
    fails: async (args, exit, text, options) => {
      const result = await run(args, options);
      expect([args, result.code, result.stdout]).toEqual([args, exit, ""]);
      expect(result.stderr).toContain(text);
    },
  };
}

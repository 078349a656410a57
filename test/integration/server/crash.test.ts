import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { mintToken, serverPaths } from "../../../src/lib/server/index.ts";
import { LiveServer, firstWorkspace } from "../../support/live-server.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const SERVE = join(import.meta.dirname, "..", "..", "fixtures", "server", "serve.ts");

interface Process {
  readonly server: LiveServer;
  /** SIGKILL, and not back before the process is gone. */
  kill(): Promise<void>;
}

async function serve(dataDir: string, token: string): Promise<Process> {
  const child: ChildProcess = spawn(process.execPath, [SERVE, dataDir], { stdio: ["ignore", "ignore", "inherit"] });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
  };
  onTestFinished(kill);
  const url = await waitFor("server", async () => {
    const info = readInfo(dataDir);
    if (info?.pid !== child.pid || info === undefined) return undefined;
    return fetch(`${info.url}/health`).then(() => info.url, () => undefined);
  });
  return { kill, server: new LiveServer({ url, dataDir, clock: null, token, workspaceId: await firstWorkspace(url, token) }) };
}

function readInfo(dataDir: string): { pid: number; url: string } | undefined {
  try {
    return JSON.parse(readFileSync(serverPaths(dataDir).info, "utf8")) as { pid: number; url: string };
  } catch {
    return undefined;
  }
}

describe("kill -9 of the server", () => {
  it("loses nothing that was acknowledged: enqueue, claim, pin, completion", async () => {
    const dataDir = join(tempDir("multica-crash-"), "server");
    const { token } = await mintToken({ dataDir, name: "test", clock: systemClock });
    let { server, kill } = await serve(dataDir, token);
    const again = async (): Promise<void> => {
      await kill();
      ({ server, kill } = await serve(dataDir, token));
    };
    const R = await server.register();
    const I = await server.issue(await server.agent(R));
    await again();

    const [task] = await server.claim([R]);
    await again();
    expect(await server.get(`/api/issues/${I}/task-runs`)).toMatchObject([{ id: task?.id, status: "dispatched" }]);
    expect(await server.claim([R])).toEqual([]);
    const mat = { token: task?.auth_token ?? "" };
    expect(await server.get(`/api/issues/${I}`, mat)).toMatchObject({ id: I });

    await server.post(`/api/daemon/tasks/${task?.id}/start`);
    await server.post(`/api/daemon/tasks/${task?.id}/session`, { session_id: "S", work_dir: "/w" });
    await server.post(`/api/daemon/tasks/${task?.id}/messages`, { messages: [{ seq: 1, type: "text", content: "kept" }] });
    await again();
    expect(await server.get(`/api/daemon/tasks/${task?.id}/status`)).toEqual({ status: "running" });
    expect(await server.get(`/api/tasks/${task?.id}/messages`)).toHaveLength(1);

    const done = await server.post(`/api/daemon/tasks/${task?.id}/complete`, { output: "the answer" });
    await again();
    expect(await server.post(`/api/daemon/tasks/${task?.id}/complete`, { output: "the answer" })).toEqual(done);
    expect(done).toMatchObject({ status: "completed", session_id: "S", work_dir: "/w" });
    expect(await server.get(`/api/issues/${I}/comments`)).toMatchObject([{ content: "the answer", source_task_id: task?.id }]);
    expect((await server.call("GET", `/api/issues/${I}`, undefined, mat)).status).toBe(401);
  });
});

import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { liveServer } from "../../support/live-server.ts";
import { taskWorld } from "../../support/task-world.ts";
import { waitFor } from "../../support/wait.ts";

const CLAIMER = join(import.meta.dirname, "..", "..", "fixtures", "server", "claim-all.ts");

function claimer(args: readonly string[]) {
  const child = spawn(process.execPath, [CLAIMER, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  child.stdout.on("data", (chunk) => (text += String(chunk)));
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, exited, lines: () => text.split("\n").filter((line) => line !== "") };
}

describe("two claimers at once", () => {
  it("never get the same task, as two processes on one database", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev", { max_concurrent_tasks: 1000 });
    for (let count = 0; count < 120; count += 1) world.issue(dev);
    const args = [world.ctx.db.path, world.runtimeId, String(world.clock.now())];
    const claimers = [claimer(args), claimer(args)];
    for (const one of claimers) await waitFor("claimer", () => one.lines().includes("ready"));
    for (const one of claimers) one.child.stdin.write("go\n");
    expect(await Promise.all(claimers.map((one) => one.exited))).toEqual([0, 0]);
    const [first = [], second = []] = claimers.map((one) => one.lines().slice(1));
    expect(first.length + second.length).toBe(120);
    expect(new Set([...first, ...second]).size).toBe(120);
    // Otherwise nobody competed and the test proves nothing.
    expect(Math.min(first.length, second.length)).toBeGreaterThan(0);
  });

  it("share the queue as ten daemons' requests to one server", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R, "Dev", { max_concurrent_tasks: 50 });
    for (let count = 0; count < 30; count += 1) await server.issue(A, `Issue ${count}`);
    const answers = await Promise.all(Array.from({ length: 10 }, () => server.claim([R], 4)));
    const ids = answers.flat().map((task) => task.id);
    expect(ids).toHaveLength(30);
    expect(new Set(ids).size).toBe(30);
  });
});

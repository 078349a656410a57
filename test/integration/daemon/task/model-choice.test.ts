import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runTask } from "../../../../src/lib/daemon/task/handle.ts";
import { taskDaemon } from "../../../support/task-daemon.ts";

describe("what an agent is told to think with", () => {
  it.each<[string, string, string, string | undefined]>([
    ["is what its model offers", "low", "some", "low"],
    ["leaves out what its model does not offer, with a warning", "high", "some", undefined],
    ["is passed on when the agent cannot be asked", "high", "none", "high"],
  ])("%s", async (_what, thinking, models, effort) => {
    const daemon = await taskDaemon({ agent: "codex-models", provider: "codex", env: { FIXTURE_MODELS: models } });
    const day = join(daemon.home, ".codex", "sessions", "2026", "01", "01");
    mkdirSync(day, { recursive: true });
    writeFileSync(join(day, "rollout-2026-01-01T00-00-00-thread-fixture.jsonl"), "{}\n");
    const task = daemon.task({ agent: { id: "a", name: "Dev", model: "m1", thinking_level: thinking } });
    await runTask(daemon.ctx, task, 1);
    expect(daemon.server.bodies("complete")).toHaveLength(1);
    const turn = JSON.parse(readFileSync(join(daemon.state?.getTask(task.id)?.work_dir ?? "", "agent-turn.json"), "utf8")) as { effort?: string };
    expect(turn.effort).toBe(effort);
    expect(daemon.log().includes("the model does not offer this; left out")).toBe(effort === undefined);
  });
});

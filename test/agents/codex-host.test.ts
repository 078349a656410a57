import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Interruption, completedOnce, interruptAtWork, leftOf, transcriptOf } from "../support/agent-turns.ts";
import { Product } from "../support/product.ts";
import { waitFor } from "../support/wait.ts";
import { codexConfig } from "./codex-config.ts";
import { installedAgent } from "./install.ts";
import { type ModelRequest, type Step, scriptedModel } from "./model.ts";

const VERSION = "0.169.0";
const STEPS = 8;

describe("a real codex under an exec host", () => {
  it.each<{ interruptions: readonly Interruption[] }>([
    { interruptions: ["kill"] },
    { interruptions: ["restart"] },
    { interruptions: ["kill", "restart", "kill"] },
  ])("works on through $interruptions: same process, whole transcript, one completion", async ({ interruptions }) => {
    const codex = installedAgent("codex", `@openai/codex@${VERSION}`, "codex");
    const product = new Product({ env: { MULTICA_CODEX_PATH: codex, MOCK_API_KEY: "sk-mock", MULTICA_AGENT_TRANSPORT: "host" } });
    const gate = join(product.home, `gate-${randomUUID()}`);
    const script = ({ results }: ModelRequest): Step => {
      if (results < STEPS) return { command: `echo codex-step-${results + 1}; sleep 0.2` };
      if (results === STEPS) return { command: `until [ -e '${gate}' ]; do sleep 0.05; done; echo codex-step-${STEPS + 1}` };
      return { text: "Every step is done." };
    };
    const model = await scriptedModel(script);
    mkdirSync(join(product.home, ".codex"), { recursive: true });
    writeFileSync(join(product.home, ".codex", "config.toml"), codexConfig(model.url));
    await product.setUp();
    const api = product.api();
    const runtime = await waitFor("a codex runtime", async () => (await api.runtimes()).find((row) => row.provider === "codex" && row.status === "online"), 30_000);
    const agent = await api.createAgent({ name: "Codex", runtime_id: runtime.id, visibility: "workspace" });
    const issue = await api.createIssue({ title: "Many steps", assignee_type: "agent", assignee_id: agent.id });
    const running = await product.waitForTask(issue, (task) => task.status === "running");
    const pids: number[] = [];
    for (const [index, how] of interruptions.entries()) {
      await waitFor("the turn to get on", async () => (await api.taskMessages(running.id)).filter((message) => message.type === "tool_result").length > index * 2, 60_000);
      pids.push(await interruptAtWork(product, running.id, how));
    }
    expect(new Set(pids).size).toBe(1);
    writeFileSync(gate, "");

    const task = await completedOnce(product, issue);
    const messages = await transcriptOf(product, task.id);
    const results = messages.flatMap((message) => (message.type === "tool_result" ? [/codex-step-\d+/.exec(message.output ?? "")?.[0]] : []));
    expect(results).toEqual(Array.from({ length: STEPS + 1 }, (_, index) => `codex-step-${index + 1}`));
    expect(messages.filter((message) => message.type === "tool_use")).toHaveLength(STEPS + 1);
    expect(messages.filter((message) => (message.content ?? "").includes("Every step is done."))).toHaveLength(1);
    // The model was asked once for each step: nothing was said to the agent a second time.
    expect(model.requests).toHaveLength(STEPS + 2);
    await waitFor("the agent's processes to be gone", () => leftOf(task.id).length === 0);
  }, 300_000);
});

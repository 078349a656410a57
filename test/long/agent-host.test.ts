import { describe, it } from "vitest";
import { type Interruption, interruptExampleAgent } from "../support/agent-turns.ts";
import { Product } from "../support/product.ts";

// A hundred times in a row, killed and restarted by turns: what lets agents under exec hosts be the default.
const ROUNDS = 10;
const TASKS = 2;
const INTERRUPTIONS: readonly Interruption[] = ["kill", "restart", "kill", "kill", "restart"];

describe("agents under exec hosts", () => {
  it.each(Array.from({ length: ROUNDS }, (_, index) => index + 1))("outlive ten interruptions of the daemon, round %i", async () => {
    const product = new Product({ env: { MULTICA_AGENT_TRANSPORT: "host" } });
    await product.setUp();
    const runtime = await product.exampleRuntime();
    const agent = await product.api().createAgent({ name: "Echo", runtime_id: runtime.id, visibility: "workspace" });
    for (let task = 0; task < TASKS; task += 1) await interruptExampleAgent(product, agent.id, INTERRUPTIONS);
  }, 300_000);
});

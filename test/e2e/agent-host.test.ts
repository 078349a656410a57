import { describe, it } from "vitest";
import { interruptExampleAgent } from "../support/agent-turns.ts";
import { Product } from "../support/product.ts";

async function withAgent(product: Product): Promise<string> {
  await product.setUp();
  const runtime = await product.exampleRuntime();
  return (await product.api().createAgent({ name: "Echo", runtime_id: runtime.id, visibility: "workspace" })).id;
}

describe("agents under exec hosts (the full count is in test/long)", () => {
  it("outlive a daemon that is killed, and one that is restarted: same process, whole transcript, completed once", async () => {
    const product = new Product({ env: { MULTICA_AGENT_TRANSPORT: "host" } });
    const agentId = await withAgent(product);
    await interruptExampleAgent(product, agentId, ["kill"]);
    await interruptExampleAgent(product, agentId, ["restart"]);
    await interruptExampleAgent(product, agentId, ["kill", "restart"]);
  }, 180_000);
});

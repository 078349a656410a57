import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { prepareInput } from "../../support/execenv.ts";
import { taskId, treeHash } from "../../support/execenv-world.ts";
import { type AttackOrder, SECRET, attacks, plantCanary, startDoer } from "../../support/heal/attacks.ts";
import { type HealWorld, healWorlds } from "../../support/heal/home.ts";
import { tempDir } from "../../support/temp.ts";

const LINT = { name: "lint", description: "Lints", content: "Lint it.", files: [{ path: "extra.md", content: "more" }] };
/** One in so many pairs of attack and operation; PLANTED_EVERY=1 tries all of them. */
const EVERY = Number(process.env["PLANTED_EVERY"] ?? 5);
const OPERATIONS: readonly AttackOrder["do"][] = ["list", "inspect", "heal", "reuse", "end", "prepare", "artifacts", "sidecars", "workdir", "gc", "root"];

function input(world: HealWorld, provider: string, task: string): object {
  const { now: _now, logger: _logger, ...rest } = prepareInput({ root: world.workspaces, home: world.home }, taskId(task), { provider, cliVersion: "0.169.0", task: { skills: [LINT], project: { id: "p", resources: [] } } });
  return rest;
}

describe("what a task plants in its environment", () => {
  const doer = startDoer();
  afterAll(() => doer.end());

  it.each(["codex", "acp"])("never makes us read, write or delete outside of it (%s)", async (provider) => {
    const next = await healWorlds(tempDir("multica-links-"));
    const faults: string[] = [];
    for (const [number, attack] of attacks().entries()) {
      if (provider === "acp" && attack.name.includes("codex-home")) continue;
      for (const [turn, operation] of OPERATIONS.entries()) {
        if ((number + turn) % EVERY !== 0) continue;
        const world = next();
        const canary = plantCanary(world.base);
        attack.plant(world, canary);
        const before = treeHash(canary);
        const users = treeHash(world.home);
        const order = { do: operation, patient: world, input: input(world, provider, operation === "prepare" ? "1" : "2"), priorWorkDir: join(world.root, "workdir") };
        const answer = await doer.order(order);
        const what = `${attack.name}, ${operation}`;
        if (!existsSync(canary) || treeHash(canary) !== before) faults.push(`${what}: changed the canary`);
        if (treeHash(world.home) !== users) faults.push(`${what}: changed the user's home`);
        if (faults.length > 20) throw new Error(faults.join("\n"));
        if (answer === "HUNG" || answer === "DIED" || answer.includes(SECRET)) faults.push(`${what}: ${answer.slice(0, 200)}`);
      }
    }
    expect(faults).toEqual([]);
  }, 300_000);
});

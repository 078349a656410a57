import { existsSync } from "node:fs";
import { join } from "node:path";
import { prepareInput } from "../execenv.ts";
import { taskId, treeHash } from "../execenv-world.ts";
import { tempDir } from "../temp.ts";
import { type AttackOrder, SECRET, attacks, plantCanary, startDoer } from "./attacks.ts";
import { type HealWorld, healWorlds } from "./home.ts";

const LINT = { name: "lint", description: "Lints", content: "Lint it.", files: [{ path: "extra.md", content: "more" }] };
const OPERATIONS: readonly AttackOrder["do"][] = ["list", "inspect", "heal", "reuse", "end", "prepare", "artifacts", "sidecars", "workdir", "gc", "root"];

function input(world: HealWorld, provider: string, task: string): object {
  const { now: _now, logger: _logger, ...rest } = prepareInput({ root: world.workspaces, home: world.home }, taskId(task), { provider, cliVersion: "0.169.0", task: { skills: [LINT], project: { id: "p", resources: [] } } });
  return rest;
}

/**
 * Plants everything there is and does everything we do with an environment, each in a fresh one; `every`: only one in so
 * many pairs. Returns what left the environment, or showed what lies outside of it, or hung.
 */
export async function plantedFaults(provider: string, every: number): Promise<string[]> {
  const next = await healWorlds(tempDir("multica-links-"));
  const doer = startDoer();
  const faults: string[] = [];
  for (const [number, attack] of attacks().entries()) {
    if (provider === "acp" && attack.name.includes("codex-home")) continue;
    for (const [turn, operation] of OPERATIONS.entries()) {
      if ((number + turn) % every !== 0 || faults.length > 20) continue;
      const world = next();
      const canary = plantCanary(world.base);
      attack.plant(world, canary);
      const before = treeHash(canary);
      const users = treeHash(world.home);
      const answer = await doer.order({ do: operation, patient: world, input: input(world, provider, operation === "prepare" ? "1" : "2"), priorWorkDir: join(world.root, "workdir") });
      const what = `${attack.name}, ${operation}`;
      if (!existsSync(canary) || treeHash(canary) !== before) faults.push(`${what}: changed the canary`);
      if (treeHash(world.home) !== users) faults.push(`${what}: changed the user's home`);
      if (answer === "HUNG" || answer === "DIED" || answer.includes(SECRET)) faults.push(`${what}: ${answer.slice(0, 200)}`);
    }
  }
  await doer.end();
  return faults;
}

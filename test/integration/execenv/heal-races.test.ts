import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { prepareInput } from "../../support/execenv.ts";
import { taskId, treeHash } from "../../support/execenv-world.ts";
import { contentsOf, lostContents, stagingFiles } from "../../support/heal/content.ts";
import { type Healer, startHealer } from "../../support/heal/healer.ts";
import { type HealWorld, healWorlds } from "../../support/heal/home.ts";
import { startRacer } from "../../support/heal/racer.ts";
import { outcomeFaults } from "../../support/heal/trial.ts";
import { ruinEverything } from "../../support/heal/worst.ts";
import { tempDir } from "../../support/temp.ts";

/** More of them: HEAL_ROUNDS=100. */
const ROUNDS = Number(process.env["HEAL_ROUNDS"] ?? 4);
const heal = (patient: HealWorld) => ({ do: "heal", patient, options: { adoptSessions: true } }) as const;

function input(world: HealWorld, task: string): object {
  const { now: _now, logger: _logger, ...rest } = prepareInput({ root: world.workspaces, home: world.home }, taskId(task), { provider: "codex", cliVersion: "0.169.0" });
  return rest;
}

/** Nothing lost, nothing unfinished, and a heal that has nothing left to do. */
async function expectHealthy(world: HealWorld, before: ReturnType<typeof contentsOf>, healer: Healer): Promise<void> {
  const report = await healer.heal(world, { adoptSessions: true });
  const hash = treeHash(world.base);
  await healer.heal(world, { adoptSessions: true });
  expect([report.status, outcomeFaults(report), lostContents(before, contentsOf(world.base), join(world.codexHome, "config.toml")), stagingFiles(world.workspaces)]).toEqual([expect.stringMatching("ok|healed"), [], [], []]);
  expect(treeHash(world.base)).toBe(hash);
}

/** Starts both, one of them a little later, more so with every round: what they do lies milliseconds apart. */
async function together(round: number, one: () => Promise<string>, other: () => Promise<string>): Promise<[string, string]> {
  const first = round % 2 === 0 ? one() : other();
  const until = performance.now() + (round >> 1) * (24 / ROUNDS) * 4;
  while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
  const second = round % 2 === 0 ? other() : one();
  return round % 2 === 0 ? [await first, await second] : [await second, await first];
}

describe("two processes at one environment", () => {
  const healthy = startHealer(null);
  afterAll(() => healthy.end());

  it("heal it at once: one does it, the other one too late or busy, and nothing is lost", async () => {
    const next = await healWorlds(tempDir());
    const racers = await Promise.all([startRacer(), startRacer()]);
    const seen: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const world = next();
      ruinEverything(world);
      const before = contentsOf(world.base);
      const answers = await together(round, () => racers[0](heal(world)), () => racers[1](heal(world)));
      seen.push(answers.toSorted().join(" "));
      await expectHealthy(world, before, healthy);
    }
    expect(seen.filter((pair) => !["busy healed", "healed ok"].includes(pair))).toEqual([]);
  }, 60_000);

  it("heal it while a task continues in it: each waits for no one, and both ends are right", async () => {
    const next = await healWorlds(tempDir());
    const [healer, task] = await Promise.all([startRacer(), startRacer()]);
    const seen: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const world = next();
      ruinEverything(world);
      const before = contentsOf(world.base);
      const prior = { ...input(world, "2"), priorWorkDir: join(world.root, "workdir") };
      seen.push((await together(round, () => healer(heal(world)), () => task({ do: "reuse", input: prior }))).join(" + "));
      await expectHealthy(world, before, healthy);
      expect(readFileSync(join(world.root, "workdir", "repo", "work.txt"), "utf8")).toContain("work");
    }
    expect(seen.filter((pair) => !["busy + reused", "ok + reused", "healed + reused", "healed + declined: another execution holds it"].includes(pair))).toEqual([]);
  }, 60_000);

  it("heal it while its task is prepared anew: busy for one of them, never half of each", async () => {
    const next = await healWorlds(tempDir());
    const [healer, task] = await Promise.all([startRacer(), startRacer()]);
    const seen: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const world = next();
      ruinEverything(world);
      seen.push((await together(round, () => healer(heal(world)), () => task({ do: "prepare", input: input(world, "1") }))).join(" + "));
      await expectHealthy(world, new Map(), healthy);
    }
    // "remaining": what the healer was about to mend changed under it. It says so and ends with 8; whole is what came of it all the same.
    const fine = ["busy + prepared", "ok + prepared", "healed + prepared", "healed + env_busy", "remaining + prepared"];
    expect(seen.filter((pair) => !fine.includes(pair))).toEqual([]);
  }, 60_000);
});

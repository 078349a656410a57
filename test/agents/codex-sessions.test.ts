import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/lib/platform/index.ts";
import { codexDatabase } from "../../src/lib/state/index-db/foreign.ts";
import { type FindScope, findRollout, listSessions } from "../../src/lib/state/index.ts";
import { everything, indexWorld } from "../support/index-db.ts";
import { AppServer } from "./app-server.ts";
import { installedAgent } from "./install.ts";
import { scriptedModel } from "./model.ts";

const VERSION = "0.169.0";

interface Thread {
  readonly id: string;
  readonly path: string;
  readonly preview: string;
  readonly name?: string | null;
}

describe("the session index over a home that a real codex writes", () => {
  it("knows its threads as codex does: names, resumes, the archive, and finds them when their rows are gone; keeps nothing of codex's locked [B38]", async () => {
    const codex = installedAgent("codex", `@openai/codex@${VERSION}`, "codex");
    const model = await scriptedModel(() => ({ text: "Done." }));
    const world = indexWorld();
    mkdirSync(world.home, { recursive: true });
    const provider = `[model_providers.mock]\nname = "mock"\nbase_url = "${model.url}/v1"\nwire_api = "responses"\nenv_key = "MOCK_API_KEY"\n`;
    writeFileSync(join(world.home, "config.toml"), `model = "mock-model"\nmodel_provider = "mock"\ncheck_for_update_on_startup = false\napproval_policy = "never"\n[analytics]\nenabled = false\n${provider}`);
    const server = new AppServer(codex, world.home, world.root);
    await server.start();
    const threads: Thread[] = [];
    for (const text of ["Fix the flaky test", "Write the changelog", "To be archived"]) {
      const { thread } = await server.ask<{ thread: Thread }>("thread/start", { cwd: world.root });
      await server.turn(thread.id, text);
      threads.push(thread);
    }
    const [flaky, changelog, archived] = threads;
    if (flaky === undefined || changelog === undefined || archived === undefined) throw new Error("no threads");
    await server.ask("thread/name/set", { threadId: changelog.id, name: "Release notes" });
    const index = await world.open();

    // While codex writes: our reading keeps nothing locked. The ten minutes of B38 are a dozen turns here.
    let [asked, working] = [0, true];
    const load = (async (): Promise<void> => {
      for (; working; asked += 1) {
        await index.refresh();
        expect((await listSessions(index, everything(), world.places)).sessions.length).toBeGreaterThan(0);
        expect(await findRollout(index, flaky.id, { scope: "live", places: world.places, repair: true, clock: systemClock })).not.toBeNull();
        expect(codexDatabase(world.home)?.error).toBeNull();
      }
    })();
    for (let turn = 0; turn < 12; turn += 1) await server.turn(flaky.id, "Once more");
    working = false;
    await load;
    expect(asked).toBeGreaterThan(20);
    expect(server.errors).not.toMatch(/locked|busy/i);
    await server.ask("thread/archive", { threadId: archived.id });
    await index.refresh();
    for (const given of [index, null]) {
      const { sessions } = await listSessions(given, everything(), world.places);
      expect(sessions.map((row) => [row.thread_id, row.title, row.name, row.cwd, row.model, row.source]).toSorted()).toEqual(
        [
          [flaky.id, "Fix the flaky test", null, world.root, "mock-model", "vscode"],
          [changelog.id, "Write the changelog", "Release notes", world.root, "mock-model", "vscode"],
        ].toSorted(),
      );
      expect(sessions.every((row) => row.tokens_used > 0)).toBe(true);
      expect((await listSessions(given, everything({ archived: true }), world.places)).sessions.map((row) => row.thread_id)).toEqual([archived.id]);
    }
    const own = await server.ask<{ data: Thread[] }>("thread/list", { limit: 50 });
    expect(own.data.map((thread) => [thread.id, thread.path]).toSorted()).toEqual((await index.list(everything())).sessions.map((row) => [row.thread_id, row.rollout_path]).toSorted());
    await server.stop();
    // Nobody keeps its log from being tidied: it does so every thousand pages.
    expect(statSync(join(world.home, "state_5.sqlite-wal"), { throwIfNoEntry: false })?.size ?? 0).toBeLessThan(2000 * 4096);

    expect(codexDatabase(world.home)).toMatchObject({ generation: 5, threads: 3, backfill: "complete", error: null });
    const find = (id: string, scope: FindScope = "live") => findRollout(index, id, { scope, places: world.places, repair: true, clock: systemClock });
    expect(await find(flaky.id)).toMatchObject({ rollout_path: flaky.path, verified: true, via: "index" });
    expect(await find(archived.id, "any")).toMatchObject({ archived: true, verified: true });

    // Codex takes it out of the archive while nobody looks; a resumed thread goes on in its old file.
    const again = new AppServer(codex, world.home, world.root);
    await again.start();
    await again.ask("thread/unarchive", { threadId: archived.id });
    await again.ask("thread/resume", { threadId: changelog.id });
    const size = statSync(changelog.path).size;
    await again.turn(changelog.id, "And translate them");
    await again.stop();
    expect(statSync(changelog.path).size).toBeGreaterThan(size);
    const before = (await index.get(changelog.id))?.tokens_used ?? 0;
    expect(await find(archived.id)).toMatchObject({ archived: false, verified: true, repaired: true });
    await index.refresh();
    expect((await index.get(changelog.id))?.tokens_used).toBeGreaterThan(before);
    for (const name of readdirSync(world.stateDir)) rmSync(join(world.stateDir, name));
    expect(await findRollout(null, flaky.id, { scope: "live", places: world.places, repair: true, clock: systemClock })).toMatchObject({ rollout_path: flaky.path, verified: true });
  }, 180_000);
});

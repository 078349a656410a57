import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { removeConfined, writeConfined } from "../../../src/lib/execenv/confined.ts";
import { treeHash } from "../../support/execenv-world.ts";
import { tempDir } from "../../support/temp.ts";

const SWAPPER = join(import.meta.dirname, "..", "..", "support", "heal", "swapper.ts");

// Elsewhere than on Linux a directory cannot be held by its descriptor: there only what stands still is refused.
describe.runIf(process.platform === "linux")("a directory that a process swaps for a link while we write", () => {
  it("never lets a write or a removal out", async () => {
    const base = tempDir("multica-swap-");
    const [inside, outside] = [join(base, "env", "place"), join(base, "outside")];
    mkdirSync(inside, { recursive: true });
    mkdirSync(join(outside, "tree"), { recursive: true });
    writeFileSync(join(outside, "tree", "file"), "precious");
    const child = spawn(process.execPath, [SWAPPER, inside, outside], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await ended;
    });
    await once(child.stdout, "data");
    const before = treeHash(outside);
    let done = 0;
    for (let attempt = 0; attempt < Number(process.env["SWAPS"] ?? 600); attempt += 1) {
      const work = attempt % 2 === 0 ? writeConfined(join(base, "env"), "place/new", "ours", { durable: false }) : removeConfined(join(base, "env"), "place/tree");
      done += await work.then(() => 1, () => 0);
      if (treeHash(outside) !== before) throw new Error(`attempt ${attempt} got out`);
    }
    expect(child.exitCode).toBe(null);
    // Some of them met the directory: otherwise nothing was tried.
    expect(done).toBeGreaterThan(10);
  }, 60_000);
});

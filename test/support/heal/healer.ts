import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import type { HealOptions, HealReport } from "../../../src/lib/execenv/index.ts";

const CHILD = join(import.meta.dirname, "healer-child.ts");

/** The same facts of a machine as a `Target`, as JSON can carry them. */
export interface Patient {
  readonly root: string;
  readonly workspaces: string;
  readonly home: string;
}

export interface Healer {
  heal(patient: Patient, options?: HealOptions): Promise<HealReport>;
  end(): Promise<void>;
}

/**
 * A process that heals on request, as this user when root runs the test: for root, rights mean nothing.
 */
export function startHealer(uid: number | null): Healer {
  const child = spawn(process.execPath, [CHILD, String(uid ?? "")], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return {
    async heal(patient, options = {}) {
      child.stdin.write(`${JSON.stringify({ patient, options })}\n`);
      const answer = await lines.next();
      if (answer.done === true) throw new Error("the healer died");
      return JSON.parse(answer.value) as HealReport;
    },
    async end() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** The user that heals when root runs the tests; null: the test's own user, for whom rights count already. */
export function otherUser(): number | null {
  return process.getuid?.() === 0 ? 65_534 : null;
}

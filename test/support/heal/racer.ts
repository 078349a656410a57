import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import type { HealOptions } from "../../../src/lib/execenv/index.ts";
import type { Patient } from "./healer.ts";

export type RaceOrder =
  | { readonly do: "heal"; readonly patient: Patient; readonly options: HealOptions }
  /** `input`: a `PrepareInput` or `ReuseInput`, as far as JSON carries it. */
  | { readonly do: "prepare" | "reuse"; readonly input: object };

/** A warm process that carries out one order at a time and answers with one word; it ends with the test. */
export async function startRacer(): Promise<(order: RaceOrder) => Promise<string>> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "racer-child.ts")], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((resolve) => child.once("exit", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  await lines.next();
  return async (order) => {
    child.stdin.write(`${JSON.stringify(order)}\n`);
    const answer = await lines.next();
    return answer.done === true ? "dead" : answer.value;
  };
}

import { createInterface } from "node:readline/promises";
import { isTerminal } from "../lib/platform/index.ts";
import { usage } from "./resolve.ts";

/** Asks a person on the terminal; anything but `y` or `yes` is no. Without a terminal: a usage error that names the flag. */
export async function confirm(question: string, flag: string): Promise<boolean> {
  if (!isTerminal("stdin") || !isTerminal("stderr")) throw usage(`this needs a confirmation: give ${flag}`);
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await reader.question(`${question} [y/N] `)).trim());
  } finally {
    reader.close();
  }
}

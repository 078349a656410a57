import { isTerminal } from "../lib/platform/index.ts";
import { usage } from "./resolve.ts";

/** Asks for a secret on the terminal without showing it. Without a terminal: a usage error that says `instead`. */
export async function askSecret(question: string, instead: string): Promise<string> {
  if (!isTerminal("stdin") || !isTerminal("stderr")) throw usage(instead);
  const { createInterface } = await import("node:readline");
  const { Writable } = await import("node:stream");
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write(question);
  return new Promise((resolve, reject) => {
    reader.once("SIGINT", () => {
      reader.close();
      reject(usage("interrupted"));
    });
    reader.question("", (answer) => {
      reader.close();
      process.stderr.write("\n");
      resolve(answer.trim());
    });
  });
}

import { isTerminal } from "../lib/platform/index.ts";
import { usage } from "./resolve.ts";

/** Asks before something cannot be undone, unless `--yes` was given; without a terminal that flag is needed (cli.md 4.9.6). */
export async function confirmOrYes(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!isTerminal("stdin") || !isTerminal("stderr")) throw usage("this needs a confirmation: give --yes");
  const { confirm } = await import("./confirm.ts");
  return confirm(question, "--yes");
}

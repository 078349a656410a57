import { type Env, envText } from "../lib/config/index.ts";
import { isTerminal } from "../lib/platform/index.ts";
import { checkToken } from "./login.ts";
import { askSecret } from "./question.ts";
import { usage } from "./resolve.ts";
import { readStdin } from "./text-input.ts";

export interface TokenSources {
  readonly flag: string | undefined;
  readonly stdin: boolean;
  readonly env: Env;
}

const WAYS = "without a terminal give the token with --token-stdin, --token <token> or MULTICA_TOKEN";

/** The token to sign in with, from exactly one place; without any, it is asked for on the terminal (cli.md 5.1.1). */
export async function chooseToken(sources: TokenSources): Promise<string> {
  const { flag, stdin, env } = sources;
  if (stdin && flag !== undefined) throw usage("--token and --token-stdin exclude each other");
  if (stdin || flag === "-") return checkToken(await readStdin());
  if (flag !== undefined && flag !== "") return checkToken(flag);
  const fromEnv = envText(env, "MULTICA_TOKEN");
  if (flag === undefined && !isTerminal("stdin") && fromEnv !== undefined) return checkToken(fromEnv);
  return checkToken(await askSecret("Token: ", WAYS));
}

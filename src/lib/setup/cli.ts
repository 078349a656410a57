import { type JsonObject, MulticaError, asString, isObject, parseJson } from "../core/index.ts";
import { type Env, selfCommand } from "../platform/index.ts";
import { runShort } from "../platform/process/run-short.ts";

export interface Cli {
  /**
   * Runs one of our own commands with `--json` and returns its document. Set-up drives the other faces from outside,
   * as a person would; a failing command rejects with its own message and exit code.
   */
  run(args: readonly string[], options?: { readonly input?: string; readonly timeoutMs?: number }): Promise<JsonObject>;
}

const LIMIT_MS = 60_000;

/** Our own command line in a given environment; `profile` is passed on when it is not the default one. */
export function ownCli(env: Env, cwd: string, profile = ""): Cli {
  const { node, script } = selfCommand();
  return {
    run: async (args, options = {}) => {
      const result = await runShort({
        command: node,
        args: [script, ...(profile === "" ? [] : ["--profile", profile]), ...args, "--json"],
        cwd,
        env,
        timeoutMs: options.timeoutMs ?? LIMIT_MS,
        ...(options.input === undefined ? {} : { input: options.input }),
      });
      const document = parseJson(result.stdout);
      if (result.code === 0 && isObject(document)) return document as JsonObject;
      throw failure(args, result, document);
    },
  };
}

function failure(
  args: readonly string[],
  result: { code: number | null; stderr: string; timedOut: boolean; failure?: string },
  document: unknown,
): MulticaError {
  const told = isObject(document) && isObject(document["error"]) ? document["error"] : {};
  const reported = told["message"];
  const hint = asString(told["hint"]);
  const text = result.timedOut
    ? `did not end within its time`
    : typeof reported === "string"
      ? reported
      : result.stderr.trim() || result.failure || `ended with ${result.code ?? "a signal"} and no document`;
  return new MulticaError("setup_step", `multica ${args.slice(0, 2).join(" ")}: ${text}`, {
    exit: result.code === null || result.code === 0 ? 1 : result.code,
    suggestions: hint === "" ? [] : [hint],
    details: { args },
  });
}

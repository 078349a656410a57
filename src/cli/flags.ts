import { Args } from "./oclif.ts";
import { Flags } from "./oclif.ts";
import { EXIT, MulticaError } from "../lib/core/index.ts";

/** Flags that every command has (cli.md 4.1, 6.3). None has a short form: free text may begin with a dash. */
export const globalFlags = {
  profile: Flags.string({ description: "settings, daemon and log of this profile", helpGroup: "GLOBAL", helpValue: "<name>" }),
  "server-url": Flags.string({ description: "server address (MULTICA_SERVER_URL)", helpGroup: "GLOBAL", helpValue: "<url>" }),
  "workspace-id": Flags.string({ description: "workspace (MULTICA_WORKSPACE_ID)", helpGroup: "GLOBAL", helpValue: "<id>" }),
  output: Flags.string({ description: "form of the output", helpGroup: "GLOBAL", options: ["table", "json", "text"] }),
  json: Flags.boolean({ description: "same as --output json", helpGroup: "GLOBAL" }),
  debug: Flags.boolean({ description: "show the whole chain of an error (MULTICA_DEBUG)", helpGroup: "GLOBAL" }),
};

/** `--output` with the command's own default, so that help shows the true one. */
export function outputFlag(fallback: "table" | "json") {
  return Flags.string({ description: "form of the output", helpGroup: "GLOBAL", options: ["table", "json", "text"], default: fallback });
}

export function textFlag(description: string, options: { required?: boolean; helpValue?: string; options?: string[] } = {}) {
  return Flags.string({ description, ...options });
}

export function requiredTextFlag(description: string, options: { helpValue?: string } = {}) {
  return Flags.string({ description, required: true, ...options });
}

export function switchFlag(description: string, options: { char?: "f" | "y"; hidden?: boolean } = {}) {
  return Flags.boolean({ description, ...options });
}

/** An integer within bounds; the message names the flag, never more. */
export function countFlag(description: string, bounds: { min?: number; max?: number; default?: number; char?: "n" } = {}) {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, ...rest } = bounds;
  const parse = Flags.custom<number>({
    parse: (input) => {
      const value = /^[+-]?\d{1,15}$/.test(input) ? Number(input) : Number.NaN;
      if (value >= min && value <= max) return Promise.resolve(value);
      const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
      throw new MulticaError("usage", `expected an integer ${range}`, { exit: EXIT.usage });
    },
  });
  return parse({ description, helpValue: "<n>", ...rest });
}

/** A repeatable flag whose values are never split. */
export function listFlag(description: string, helpValue: string) {
  return Flags.string({ description, helpValue, multiple: true, multipleNonGreedy: true });
}

/** `--output-dir`, `-o`: why `--output` has no short form (cli.md 5.16). */
export function directoryFlag(description: string) {
  return Flags.string({ description, char: "o", default: ".", helpValue: "<directory>" });
}

/** A positional argument that is never filled from standard input (cli.md 6.3). */
export function argument(description: string, options: { options?: string[] } = {}) {
  return Args.string({ description, required: true, ignoreStdin: true, ...options });
}

export function optionalArgument(description: string) {
  return Args.string({ description, required: false, ignoreStdin: true });
}

import { isObject, parseJson } from "../lib/core/index.ts";
import { textFlag } from "./flags.ts";
import { usage } from "./resolve.ts";

/** The flags that make up what a resource points at (cli.md 5.9). */
export const resourceFlags = {
  type: textFlag("github_repo unless given, or local_directory", { helpValue: "<type>" }),
  url: textFlag("repository URL", { helpValue: "<url>" }),
  ref: textFlag("branch, tag or commit to check out; or the whole payload as JSON", { helpValue: "<ref>" }),
  "default-branch-hint": textFlag("the branch that work starts from", { helpValue: "<branch>" }),
  "local-path": textFlag("directory on the daemon's machine", { helpValue: "<path>" }),
  "daemon-id": textFlag("the daemon whose machine it is", { helpValue: "<id>" }),
  "ref-label": textFlag("name of the directory", { helpValue: "<text>" }),
  "execution-mode": textFlag("where agents work: in the directory, or in a worktree of it", { options: ["in_place", "worktree"] }),
  label: textFlag("name that people see", { helpValue: "<text>" }),
};

export interface ResourceFlagValues {
  readonly url?: string | undefined;
  readonly ref?: string | undefined;
  readonly "default-branch-hint"?: string | undefined;
  readonly "local-path"?: string | undefined;
  readonly "daemon-id"?: string | undefined;
  readonly "ref-label"?: string | undefined;
  readonly "execution-mode"?: string | undefined;
}

const KEYS: Readonly<Record<string, readonly (readonly [keyof ResourceFlagValues, string])[]>> = {
  github_repo: [["url", "url"], ["default-branch-hint", "default_branch_hint"], ["ref", "ref"]],
  local_directory: [["local-path", "local_path"], ["daemon-id", "daemon_id"], ["ref-label", "label"], ["execution-mode", "execution_mode"]],
};
const NEEDED: Readonly<Record<string, readonly (keyof ResourceFlagValues)[]>> = { github_repo: ["url"], local_directory: ["local-path", "daemon-id"] };

/**
 * What a resource of `type` points at, from the flags over `base` (the stored one, because servers replace the whole).
 * Undefined when no flag is about it. An empty flag removes its key; what the type cannot do without is refused (exit 2).
 */
export function resourceRef(type: string, flags: ResourceFlagValues, base?: unknown): unknown {
  const { ref } = flags;
  if (ref !== undefined && /^\s*[{[]/.test(ref)) {
    const payload = parseJson(ref);
    if (payload === undefined) throw usage("--ref begins like JSON and is none");
    return payload;
  }
  const keys = KEYS[type];
  if (keys === undefined) {
    if (ref !== undefined || base === undefined) throw usage(`--type ${type} needs --ref with its payload as JSON`);
    return undefined;
  }
  if (ref !== undefined && type !== "github_repo") throw usage(`--ref of a ${type} must be JSON`);
  const given = keys.filter(([flag]) => flags[flag] !== undefined);
  if (given.length === 0 && base !== undefined) return undefined;
  const result: Record<string, unknown> = isObject(base) ? { ...base } : {};
  for (const [flag, key] of given) {
    const value = flags[flag]?.trim() ?? "";
    if (value !== "") result[key] = value;
    else if (NEEDED[type]?.includes(flag) === true) throw usage(`--${flag} is empty`);
    else delete result[key];
  }
  for (const [flag, key] of keys) if (NEEDED[type]?.includes(flag) === true && result[key] === undefined) throw usage(`--type ${type} needs --${flag}`);
  return result;
}

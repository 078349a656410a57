import { delimiter } from "node:path";
import { SETTING_KEYS } from "../lib/config/index.ts";

export interface SettingsFacts {
  readonly path: string;
  readonly profile: string;
  readonly raw: Readonly<Record<string, unknown>>;
}

/** `config show --output json`: the file's values; the token only as `(set)`. */
export function settingsDocument({ path, profile, raw }: SettingsFacts): Record<string, unknown> {
  const { token, ...rest } = raw;
  return { path, profile, ...rest, ...(token === undefined ? {} : { token: "(set)" }) };
}

/** `config show`: every key on a line of its own, also the unset ones. */
export function settingsText({ path, profile, raw }: SettingsFacts): string {
  const lines = [`path: ${path}`, ...(profile === "" ? [] : [`profile: ${profile}`])];
  for (const [key, kind] of Object.entries(SETTING_KEYS)) {
    const value = raw[key];
    if (kind === "switch") lines.push(`${key}: ${value === true ? "true" : "false"}`);
    else if (kind === "checkoutMode") lines.push(`${key}: ${checkoutModeText(value)}`);
    else if (value === undefined || value === "") lines.push(`${key}: (not set)`);
    else if (Array.isArray(value)) lines.push(`${key}: ${value.length === 0 ? "(not set)" : value.join(delimiter)}`);
    else lines.push(`${key}: ${String(value)}${key === "agent_timeout" && /^0s?$/.test(String(value)) ? " (no cap)" : ""}`);
  }
  return `${lines.join("\n")}\n`;
}

const CHECKOUT_MODES: Readonly<Record<string, string>> = {
  auto: "isolated where the agent's sandbox cannot reach the cache, else linked",
  isolated: "every checkout is a clone of its own in the task's directory",
  linked: "every checkout is a worktree of the cache; agents in a sandbox may not be able to commit",
};

function checkoutModeText(value: unknown): string {
  const mode = value === undefined || value === "" ? "auto" : String(value);
  return `${mode} (${CHECKOUT_MODES[mode] ?? "not a mode: auto, isolated or linked"})`;
}

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
    else if (value === undefined || value === "") lines.push(`${key}: (not set)`);
    else lines.push(`${key}: ${String(value)}${key === "agent_timeout" && /^0s?$/.test(String(value)) ? " (no cap)" : ""}`);
  }
  return `${lines.join("\n")}\n`;
}

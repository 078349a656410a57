/** The environment as plain data; tests pass their own. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The trimmed value of a variable; a blank one counts as unset (cli.md 4.2). */
export function envText(env: Env, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === "" ? undefined : value;
}

const OFF = new Set(["", "0", "false", "no", "off"]);

/** True for any value but blank, `0`, `false`, `no` and `off`: the rule of `MULTICA_DEBUG` (cli.md 4.1). */
export function envSwitch(env: Env, name: string): boolean {
  return !OFF.has((env[name] ?? "").trim().toLowerCase());
}

/** A child's or our own environment: names and values, nothing undefined. */
export type Env = Record<string, string>;

/** A copy of this process's environment. */
export function processEnv(): Env {
  const copy: Env = {};
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) copy[name] = value;
  return copy;
}

/** The trimmed value, or undefined when the variable is unset or blank (cli.md 4.2). */
export function envValue(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === "" ? undefined : value;
}

/** `darwin`, `linux` or `windows`: the names that the wire uses. */
export function platformName(): "darwin" | "linux" | "windows" {
  if (process.platform === "win32") return "windows";
  return process.platform === "darwin" ? "darwin" : "linux";
}

export function currentPid(): number {
  return process.pid;
}

export function currentUid(): number | undefined {
  return process.getuid?.();
}

/** Sets the mask of new files' modes; answers the one before. */
export function swapUmask(mask: number): number {
  return process.umask(mask);
}

/** Ends this process now, whatever is still open: for helper processes whose work is written down. */
export function endProcess(code: number): never {
  process.exit(code);
}

/** Frees what became garbage lately; does nothing unless this process was started with `--expose-gc`. */
export function collectYoungGarbage(): void {
  const collect = (globalThis as { gc?: (options: { type: "minor" }) => void }).gc;
  collect?.({ type: "minor" });
}

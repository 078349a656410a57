import type { ArgvContext } from "../../provider.ts";

/**
 * Drops config overrides that would undo what the daemon set up (agents.md 14.2): MCP servers when they are managed,
 * the shell environment policy when the home is ours, the fast mode when the tier decides it.
 * `dropped` names flag and key, never the value.
 */
export function filterCodexArgs(args: readonly string[], context: ArgvContext): { args: string[]; dropped: string[] } {
  const owned = ownedKeys(context);
  const kept: string[] = [];
  const dropped: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const token = args[at] ?? "";
    const { flag, value, attached } = splitFlag(token);
    const next = attached ? value : args[at + 1];
    const reason = next === undefined ? null : refusal(flag, next, owned, context);
    if (reason === null) {
      kept.push(token);
      continue;
    }
    dropped.push(reason);
    if (!attached) at += 1;
  }
  return { args: kept, dropped };
}

function ownedKeys({ env, options }: ArgvContext): readonly RegExp[] {
  return [
    ...(options.managedMcp === true ? [/^mcp_servers(?:[.=]|$)/] : []),
    ...(env.CODEX_HOME ? [/^(?:profiles\.(?:[^.=]+|"[^"]*")\.)?"?shell_environment_policy"?(?:[.=]|$)/] : []),
    ...(options.serviceTier === "priority" ? [/^features\.fast_mode(?:[.=]|$)/] : []),
  ];
}

function refusal(flag: string, value: string, owned: readonly RegExp[], { options }: ArgvContext): string | null {
  if (flag === "--disable" && value === "fast_mode" && options.serviceTier === "priority") return "--disable fast_mode";
  if (flag !== "-c" && flag !== "--config") return null;
  const key = value.trim().replace(/\s*=.*$/s, "");
  return owned.some((pattern) => pattern.test(key)) ? `${flag} ${key}` : null;
}

function splitFlag(token: string): { flag: string; value: string; attached: boolean } {
  const at = token.indexOf("=");
  if (!token.startsWith("-") || at <= 0) return { flag: token, value: "", attached: false };
  return { flag: token.slice(0, at), value: token.slice(at + 1), attached: true };
}

const HIDDEN = "<redacted>";
const MAX_FLAG = 64;

/**
 * The command line as a log may show it (agents.md 4.4): flags and the provider's own subcommands, nothing else.
 * A value, a prompt or a path reads `<redacted>`, whatever it looks like.
 */
export function displayArgs(args: readonly string[], trusted: { literals: readonly string[]; from: number; to: number }): string[] {
  return args.map((token, index) => {
    if (index >= trusted.from && index < trusted.to && trusted.literals.includes(token)) return token;
    return flagPart(token) ?? HIDDEN;
  });
}

function flagPart(token: string): string | null {
  if (/^-[A-Za-z]$/.test(token)) return token;
  const match = /^(--[A-Za-z][A-Za-z0-9._-]*)(?:=[\s\S]*)?$/.exec(token);
  const flag = match?.[1];
  return flag !== undefined && flag.length <= MAX_FLAG ? flag : null;
}

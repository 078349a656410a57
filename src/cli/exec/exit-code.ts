import { constants } from "node:os";

/** What a shell would say: the command's own code, or 128 and the number of the signal that ended it. */
export function shellCode(exit: { readonly exit_code: number | null; readonly signal: string | null }): number {
  if (exit.signal === null) return exit.exit_code ?? 1;
  const name = exit.signal.startsWith("SIG") ? exit.signal : `SIG${exit.signal}`;
  return 128 + ((constants.signals as Readonly<Record<string, number>>)[name] ?? 0);
}

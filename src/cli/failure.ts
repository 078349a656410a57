const commands = new WeakMap<object, string>();

/** Notes which command an error came from, for the pointer to its help; the error itself stays as it is. */
export function rememberCommand(error: unknown, id: string): void {
  if (typeof error === "object" && error !== null && !commands.has(error)) commands.set(error, id);
}

/** The words of the command an error came from (`issue get`), or undefined. */
export function commandWords(error: unknown): string | undefined {
  const id = typeof error === "object" && error !== null ? commands.get(error) : undefined;
  return id?.replaceAll(":", " ");
}

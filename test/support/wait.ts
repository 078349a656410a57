/**
 * Waits until `condition` answers something other than undefined, false or "" (a file that exists but is not written yet);
 * fails after `timeoutMs` with what it waited for.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | undefined | false | "" | Promise<T | undefined | false | "">,
  timeoutMs = 10_000,
): Promise<T> {
  const limit = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false && value !== "") return value;
    if (Date.now() > limit) throw new Error(`waited ${timeoutMs} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * The result of `work`, or the signal's reason as soon as it aborts. Work that cannot be stopped goes on; what it
 * brings after that is given to `onLate`, so that a lock taken too late is still given back.
 */
export async function orAbandon<T>(work: Promise<T>, signal: AbortSignal, onLate: (value: T) => void): Promise<T> {
  let left = false;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => {
    left = true;
    aborted.reject(signal.reason);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  // The late value, or a late failure that nobody waits for any more.
  work.then(
    (value) => {
      if (left) onLate(value);
    },
    () => undefined,
  );
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

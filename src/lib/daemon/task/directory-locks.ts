import { KeyedMutex } from "../../core/index.ts";

const queue = new KeyedMutex();
const holders = new Map<string, string>();

/** The task that works in a directory, by its real path; undefined: nobody does. */
export function directoryHolder(realPath: string): string | undefined {
  return holders.get(realPath);
}

/**
 * Takes a user's directory for a task; first come, first served (daemon.md 11.3). The result gives it back, further
 * calls do nothing. Rejects with the signal's reason when aborted before its turn; it then never becomes the holder.
 */
export function takeDirectory(realPath: string, taskId: string, signal: AbortSignal): Promise<() => void> {
  const taken = Promise.withResolvers<() => void>();
  const hold = async (): Promise<void> => {
    const done = Promise.withResolvers<undefined>();
    holders.set(realPath, taskId);
    taken.resolve(() => {
      if (holders.get(realPath) === taskId) holders.delete(realPath);
      done.resolve(undefined);
    });
    await done.promise;
  };
  queue.run(realPath, hold, { signal }).catch((error: unknown) => taken.reject(error));
  return taken.promise;
}

import { type FSWatcher, statSync, watch } from "node:fs";
import type { Clock } from "./clock.ts";

export interface WatchOptions {
  readonly clock: Clock;
  /** How often to look when the system says nothing: on network file systems, or where watches have run out. */
  readonly pollMs: number;
  onChange(): void;
}

/**
 * Calls `onChange` after each change of a file, also when it is replaced, appears or goes; the returned function ends that.
 * Several changes in a row may be one call. Never throws: without a watch of the system the polling remains.
 */
export function watchFile(path: string, { clock, pollMs, onChange }: WatchOptions): () => void {
  let known = stampOf(path);
  let watcher: FSWatcher | null = null;
  const disarm = (): void => {
    watcher?.close();
    watcher = null;
  };
  const look = (): void => {
    const now = stampOf(path);
    if (now === known) return;
    known = now;
    // A replaced file is another inode: the old watch is blind to it.
    arm();
    onChange();
  };
  const arm = (): void => {
    disarm();
    try {
      watcher = watch(path, { persistent: false }, look);
      watcher.on("error", disarm);
    } catch {
      // Not there, or no watch to be had.
    }
  };
  arm();
  const stopPolling = clock.every(pollMs, look);
  return () => {
    stopPolling();
    disarm();
  };
}

function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? "" : `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}

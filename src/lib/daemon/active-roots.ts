/** Reference-counted marks on environment roots (and stores) that are in use. */
export interface ActiveRoots {
  /** Marks an absolute path; the returned function removes this one mark and is idempotent. */
  mark(path: string): () => void;
  isActive(path: string): boolean;
  /** All marked paths, sorted. */
  list(): string[];
}

/** Counts marks, because one root is marked by a task's outer and inner stages at the same time (daemon.md 11.1, 11.4). */
export function createActiveRoots(): ActiveRoots {
  const marks = new Map<string, number>();
  return {
    mark(path) {
      marks.set(path, (marks.get(path) ?? 0) + 1);
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        const left = (marks.get(path) ?? 1) - 1;
        if (left === 0) marks.delete(path);
        else marks.set(path, left);
      };
    },
    isActive: (path) => marks.has(path),
    list: () => [...marks.keys()].sort(),
  };
}

import type { Clock } from "../platform/index.ts";

/** Something of this daemon's that ended, and why. */
export interface Ending {
  readonly kind: "task" | "command";
  /** Id of the task, or thread and process of the command. */
  readonly id: string;
  readonly ended_at: string;
  /** `completed`, `failed`, `cancelled`, … of a task; `exited`, `killed`, … of a command. */
  readonly outcome: string;
  /** The failure's reason by its name; never an error's text: everybody on this machine may read it. */
  readonly reason: string;
}

export interface RecentEndings {
  add(ending: Omit<Ending, "ended_at">): void;
  /** Newest first. */
  list(): readonly Ending[];
}

const KEPT = 20;

/** The last endings, in memory: what `daemon status` shows without asking anybody. */
export function createRecentEndings(clock: Clock): RecentEndings {
  const endings: Ending[] = [];
  return {
    add(ending) {
      endings.unshift({ ...ending, ended_at: new Date(clock.now()).toISOString() });
      endings.length = Math.min(endings.length, KEPT);
    },
    list: () => [...endings],
  };
}

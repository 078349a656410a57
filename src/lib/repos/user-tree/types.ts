import type { Clock, Env } from "../../platform/index.ts";

/** A worktree of a user's repository that one task works in. Everything that ending it needs; all paths are absolute. */
export interface UserTree {
  /** Top directory of the user's checkout. */
  readonly top: string;
  /** The common git directory of the user's repository. */
  readonly common: string;
  /** The worktree, and its own git directory below `common`; empty until it exists. */
  readonly path: string;
  readonly gitDir: string;
  readonly branch: string;
  /** Commit that holds what the user's directory held; until `complete` the one that was checked out there. */
  readonly baseline: string;
  readonly complete: boolean;
  /** What the repository's configuration said about programs at the start. */
  readonly guard: string;
}

export interface TreeMachine {
  /** To start git from. */
  readonly env: Readonly<Env>;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

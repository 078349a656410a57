import { usage } from "./resolve.ts";

export interface CommentFlags {
  readonly thread?: string | undefined;
  readonly tail?: number | undefined;
  readonly recent?: number | undefined;
  readonly since?: string | undefined;
  readonly before?: string | undefined;
  readonly "before-id"?: string | undefined;
  readonly "roots-only"?: boolean;
  readonly summary?: boolean;
  readonly full?: boolean;
}

/** Refuses the combinations that no server understands, without a request (cli.md 5.8). */
export function checkCommentQuery(flags: CommentFlags): void {
  const { thread, tail, recent, before } = flags;
  if (thread !== undefined && recent !== undefined) throw usage("--thread and --recent exclude each other");
  if (flags["roots-only"] === true) {
    const other = [thread, tail, recent, before, flags["before-id"]].some((value) => value !== undefined);
    if (other) throw usage("--roots-only takes neither --thread, --tail, --recent nor --before");
  }
  if (tail !== undefined && thread === undefined) throw usage("--tail needs --thread");
  if ((before === undefined) !== (flags["before-id"] === undefined)) throw usage("--before and --before-id belong together");
  if (before !== undefined && recent === undefined && tail === undefined) throw usage("--before needs --recent, or --thread with --tail");
}

/** The query of the request; folding is asked for only where servers accept it. */
export function commentQuery(flags: CommentFlags): Record<string, string | number | boolean | undefined> {
  const folds = flags.full !== true && flags["roots-only"] !== true && flags.since === undefined && flags.tail === undefined;
  return {
    since: flags.since,
    roots_only: flags["roots-only"] === true ? true : undefined,
    summary: flags.summary === true ? true : undefined,
    thread: flags.thread,
    tail: flags.tail,
    recent: flags.recent,
    before: flags.before,
    before_id: flags["before-id"],
    fold: folds ? true : undefined,
  };
}

/** The line that agents paste back to get the page before; its two beginnings are protocol (cli.md 1.3). */
export function cursorLine(flags: CommentFlags, headers: { get(name: string): string | null }): string | undefined {
  const before = headers.get("X-Multica-Next-Before");
  const id = headers.get("X-Multica-Next-Before-Id");
  if (!before || !id) return undefined;
  return `${flags.recent === undefined ? "Next reply cursor:" : "Next thread cursor:"} --before ${before} --before-id ${id}`;
}

/** Comments without the fields that say nothing: nulls, empty lists, repeated times, ids the reader knows. */
export function compactComments(comments: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const dropped = new Set(["issue_id", "source_task_id"]);
  return comments.map((comment) =>
    Object.fromEntries(
      Object.entries(comment).filter(([key, value]) => {
        if (dropped.has(key) || value === null || (Array.isArray(value) && value.length === 0)) return false;
        return !(key === "updated_at" && value === comment["created_at"]);
      }),
    ),
  );
}

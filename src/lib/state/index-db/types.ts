import type { HomePlaces } from "./homes.ts";

export type SortKey = "updated" | "created";

/** What `session list` asks for (state-db.md 19.1). Empty lists filter nothing. */
export interface SessionQuery {
  /** 1–500. */
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly sort: SortKey;
  readonly ascending: boolean;
  /** Archived threads instead of live ones; never both. */
  readonly archived: boolean;
  readonly sources: readonly string[];
  /** Model providers. */
  readonly providers: readonly string[];
  /** Real directories; `…/**` means everything below as well. */
  readonly cwds: readonly string[];
  /** Case-insensitive part of name, title or first message. */
  readonly search?: string | undefined;
  /** `user`, `tasks`, or the real path of a home. */
  readonly home?: string | undefined;
  readonly issueId?: string | undefined;
  readonly taskId?: string | undefined;
  readonly agentId?: string | undefined;
}

/** One thread as commands show it; times are RFC 3339. */
export interface SessionRow {
  readonly thread_id: string;
  readonly provider: "codex";
  readonly title: string;
  readonly name: string | null;
  readonly preview: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly cwd: string | null;
  readonly source: string | null;
  readonly model_provider: string | null;
  readonly model: string | null;
  readonly tokens_used: number;
  readonly archived: boolean;
  readonly archived_at: string | null;
  readonly git: { readonly sha: string | null; readonly branch: string | null; readonly origin_url: string | null };
  readonly rollout_path: string;
  readonly homes: readonly string[];
  readonly task_id: string | null;
  readonly issue_id: string | null;
  readonly agent_id: string | null;
}

export interface SessionPage {
  readonly sessions: readonly SessionRow[];
  readonly next_cursor: string | null;
  readonly from: "index" | "files";
  /** True = a limit was hit: there may be more than was looked at. */
  readonly partial: boolean;
}

export type FindScope = "live" | "archived" | "any";

/** Why the index alone did not give the answer. */
export type FindReason = "missing_row" | "stale_path" | "mismatch" | "db_error" | "no_index";

export interface FindOptions {
  readonly scope: FindScope;
  /** Where to search when the index does not know. */
  readonly places: HomePlaces;
  /** Real path of the one home that counts; the answer is given through that home's own names. */
  readonly home?: string | undefined;
  /** False = leave the index as it is. */
  readonly repair: boolean;
}

export interface FoundRollout {
  readonly thread_id: string;
  readonly rollout_path: string;
  readonly archived: boolean;
  /** True = the file's own first record names this thread. */
  readonly verified: boolean;
  readonly via: "index" | "search" | "unverified";
  readonly repaired: boolean;
  readonly reason: FindReason | null;
  readonly homes: readonly string[];
}

/** What one pass over the homes did. */
export interface BackfillStats {
  readonly roots: number;
  readonly scanned: number;
  readonly upserted: number;
  readonly unchanged: number;
  readonly removed: number;
  readonly failed: number;
  readonly duration_ms: number;
}

export interface RootStatus {
  readonly path: string;
  readonly archived: boolean;
  readonly status: "pending" | "running" | "complete";
  readonly files: number;
  readonly failed: number;
  readonly last_success_at: string | null;
}

/** The index as `state status` shows it (state-db.md 19.3). */
export interface IndexStatus {
  readonly path: string;
  readonly bytes: number;
  readonly schema: number;
  readonly homes: number;
  readonly roots: readonly RootStatus[];
  readonly threads: number;
  readonly backfill: { readonly holder: { readonly pid: number; readonly alive: boolean } | null; readonly renewed_at: string | null };
}

// Answers that commands only print: types without schemas, nothing is parsed by them.
import type { Issue } from "./issues.ts";

/** server-api.md 13.3.2. */
export type SearchHit = Issue & { readonly match_source?: string | null; readonly matched_snippet?: string | null };

/** server-api.md 13.4. */
export interface Label {
  readonly id: string;
  readonly name: string;
  readonly color: string;
  readonly created_at?: string | null;
}

/** server-api.md 13.4. */
export interface Subscriber {
  readonly user_type: string;
  readonly user_id: string;
  readonly reason?: string | null;
  readonly created_at?: string | null;
}

/** server-api.md 13.3.5: an activity or a comment. */
export interface TimelineEntry {
  readonly type: string;
  readonly id: string;
  readonly actor_type?: string | null;
  readonly actor_id?: string | null;
  readonly action?: string | null;
  readonly details?: Readonly<Record<string, unknown>> | null;
  readonly content?: string | null;
  readonly created_at: string;
}

/** server-api.md 13.3.5. */
export interface IssueUsage {
  readonly total_input_tokens: number;
  readonly total_output_tokens: number;
  readonly total_cache_read_tokens: number;
  readonly total_cache_write_tokens: number;
  readonly task_count: number;
}

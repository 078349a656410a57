import { all } from "../db/query.ts";
import type { Tx } from "../transaction.ts";

/** Tokens per UTC day, provider and model of everything that ran on a runtime since `since` (server-api.md 13.10). */
export function runtimeUsage(db: Tx["db"], runtimeId: string, since: number): object[] {
  const rows = all<Record<string, unknown>>(
    db,
    `SELECT date(u.updated_at / 1000, 'unixepoch') AS date, u.provider, u.model,
       sum(u.input_tokens) AS input_tokens, sum(u.output_tokens) AS output_tokens,
       sum(u.cache_read_tokens) AS cache_read_tokens, sum(u.cache_write_tokens) AS cache_write_tokens,
       sum(u.cost_usd_ticks) AS cost_usd_ticks, count(*) AS task_count
     FROM task_usage u JOIN task t ON t.id = u.task_id
     WHERE t.runtime_id = :runtimeId AND u.updated_at >= :since
     GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3`,
    { runtimeId, since },
  );
  return rows.map(({ cost_usd_ticks: cost, ...row }) => ({ runtime_id: runtimeId, ...row, ...(cost === null ? {} : { cost_usd_ticks: cost }) }));
}

/** How many runs began in each hour of the day (UTC) since `since`; hours without one are left out. */
export function runtimeActivity(db: Tx["db"], runtimeId: string, since: number): object[] {
  return all<{ hour: number; count: number }>(
    db,
    `SELECT CAST(strftime('%H', started_at / 1000, 'unixepoch') AS INTEGER) AS hour, count(*) AS count FROM task
     WHERE runtime_id = :runtimeId AND started_at >= :since GROUP BY 1 ORDER BY 1`,
    { runtimeId, since },
  ).map((row) => ({ ...row }));
}

/** All tokens that were spent on an issue (server-api.md 13.3.5). */
export function issueUsage(db: Tx["db"], issueId: string): object {
  const [row] = all<Record<string, unknown>>(
    db,
    `SELECT coalesce(sum(u.input_tokens), 0) AS total_input_tokens, coalesce(sum(u.output_tokens), 0) AS total_output_tokens,
       coalesce(sum(u.cache_read_tokens), 0) AS total_cache_read_tokens,
       coalesce(sum(u.cache_write_tokens), 0) AS total_cache_write_tokens,
       count(DISTINCT u.task_id) AS task_count, coalesce(sum(u.cost_usd_ticks), 0) AS cost_usd_ticks
     FROM task_usage u JOIN task t ON t.id = u.task_id WHERE t.issue_id = :issueId`,
    { issueId },
  );
  return { ...row };
}

import { badRequest } from "../../http-error.ts";
import type { AppContext } from "../../http/env.ts";
import { uuidOf } from "../../http/body.ts";
import type { CommentQuery } from "../../services/comment-list.ts";

/** The list parameters of a request; 400 for values and combinations that mean nothing (server-api.md 13.5.1). */
export function commentQuery(c: AppContext): CommentQuery {
  const thread = c.req.query("thread");
  const before = cursor(c);
  const query: CommentQuery = {
    ...optional("since", time(c, "since")),
    ...optional("thread", thread ? uuidOf(thread, "thread") : undefined),
    ...optional("tail", count(c, "tail")),
    ...optional("recent", count(c, "recent")),
    ...optional("before", before),
    rootsOnly: c.req.query("roots_only") === "true",
    summary: c.req.query("summary") === "true",
    fold: c.req.query("fold") === "true",
  };
  refuseNonsense(query);
  return query;
}

function refuseNonsense(query: CommentQuery): void {
  const { thread, tail, recent, before, since, rootsOnly, fold } = query;
  if (thread !== undefined && recent !== undefined) throw badRequest("thread and recent cannot be combined");
  if (tail !== undefined && thread === undefined) throw badRequest("tail requires thread");
  if (before !== undefined && recent === undefined && tail === undefined) {
    throw badRequest("before and before_id require recent, or thread with tail");
  }
  if (rootsOnly && (thread !== undefined || recent !== undefined || before !== undefined)) {
    throw badRequest("roots_only cannot be combined with thread, recent, tail or a cursor");
  }
  if (fold && (since !== undefined || tail !== undefined || rootsOnly)) {
    throw badRequest("fold cannot be combined with since, tail or roots_only");
  }
}

function cursor(c: AppContext): { at: number; id: string } | undefined {
  const at = time(c, "before");
  const id = c.req.query("before_id") || undefined;
  if (at === undefined && id === undefined) return undefined;
  if (at === undefined || id === undefined) throw badRequest("before and before_id must be provided together");
  return { at, id: uuidOf(id, "before_id") };
}

function time(c: AppContext, name: string): number | undefined {
  const text = c.req.query(name);
  if (text === undefined || text === "") return undefined;
  const at = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(at)) throw badRequest(`invalid ${name}`);
  return at;
}

function count(c: AppContext, name: string): number | undefined {
  const text = c.req.query(name);
  if (text === undefined || text === "") return undefined;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw badRequest(`invalid ${name}`);
  return Number(text);
}

function optional<K extends string, V>(key: K, value: V | undefined): Record<K, V> | Record<string, never> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}

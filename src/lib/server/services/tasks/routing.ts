/** A comment as routing sees it; content only matters for mentions. */
export interface RoutedComment {
  readonly authorType: string;
  readonly authorId: string | null;
  readonly content: string;
}

export interface RoutingFacts {
  readonly comment: RoutedComment;
  /** The comment that is answered; null for a top-level comment. */
  readonly parent: RoutedComment | null;
  /** The thread the comment stands in, root first, without the comment itself; empty for a top-level comment. */
  readonly thread: readonly RoutedComment[];
  readonly assigneeType: string | null;
  readonly assigneeId: string | null;
  /** Leaders of the squads that the comments mention or the issue is assigned to; a squad without one is not there. */
  readonly squadLeaders?: ReadonlyMap<string, string>;
}

export interface Mention {
  readonly kind: string;
  readonly id: string;
}

const MENTION = /\[@[^\]]*\]\(mention:\/\/([a-z]+)\/([^)\s]+)\)/g;
const NOTE = /^\s*\/note(?![\w-])/;

/** The mention links of a text in order. Plain `@name` text is no mention (server-api.md 13.5.3). */
export function parseMentions(content: string): Mention[] {
  return [...content.matchAll(MENTION)].map((match) => ({ kind: match[1] ?? "", id: match[2] ?? "" }));
}

/**
 * The agents that a comment wakes, before permission, readiness and suppression are looked at (server-api.md 13.5.3).
 * A thread is owned by the agent that opened it, else by the agents its root mentions and those that answered in it.
 */
export function routeComment(facts: RoutingFacts): string[] {
  const { comment, parent } = facts;
  if (NOTE.test(comment.content)) return [];
  const targets = choose(facts, parent, parseMentions(comment.content));
  const author = comment.authorType === "agent" ? comment.authorId : null;
  return [...new Set(targets)].filter((id) => id !== author);
}

function choose(facts: RoutingFacts, parent: RoutedComment | null, mentions: readonly Mention[]): string[] {
  const leaders = facts.squadLeaders ?? new Map<string, string>();
  const agents = agentIds(mentions, leaders);
  if (agents.length > 0) return agents;
  if (mentions.some(({ kind }) => kind === "all" || kind === "member" || kind === "squad")) return [];
  const leader = facts.assigneeType === "squad" ? leaders.get(facts.assigneeId ?? "") : undefined;
  const { authorType } = facts.comment;
  // A squad's leader hears of what its workers report; nobody else is woken by an agent that names nobody.
  if (authorType !== "member") return authorType === "agent" && leader !== undefined ? [leader] : [];
  if (parent?.authorType === "agent" && parent.authorId !== null) return [parent.authorId];
  if (parent !== null) return threadOwners(facts.thread, leaders);
  if (leader !== undefined) return [leader];
  return facts.assigneeType === "agent" && facts.assigneeId !== null ? [facts.assigneeId] : [];
}

function threadOwners(thread: readonly RoutedComment[], leaders: ReadonlyMap<string, string>): string[] {
  const root = thread[0];
  if (root === undefined) return [];
  if (root.authorType === "agent" && root.authorId !== null) return [root.authorId];
  const answered = thread.filter((one) => one.authorType === "agent").flatMap((one) => one.authorId ?? []);
  return [...agentIds(parseMentions(root.content), leaders), ...answered];
}

function agentIds(mentions: readonly Mention[], leaders: ReadonlyMap<string, string>): string[] {
  return mentions.flatMap(({ kind, id }) => {
    if (kind === "agent") return [id.toLowerCase()];
    return kind === "squad" ? (leaders.get(id.toLowerCase()) ?? []) : [];
  });
}

import { quoteText, safeName } from "../../../core/index.ts";
import type { Task } from "../../../wire/index.ts";
import { safeToken } from "./text.ts";

/** The earlier comments this run answers for besides its trigger, or null when there are none (daemon.md 12.3, item 3). */
export function mergedComments(task: Task): string | null {
  const issue = task.issue_id ?? "";
  const trigger = task.trigger_comment_id ?? "";
  const withBody = (task.coalesced_comments ?? []).filter((comment) => safeToken(comment.id) !== "" && comment.id !== trigger);
  const known = new Set([trigger, ...withBody.map((comment) => comment.id)]);
  const idsOnly = (task.coalesced_comment_ids ?? []).map(safeToken).filter((id) => id !== "" && !known.has(id));
  const count = withBody.length + new Set(idsOnly).size;
  if (count === 0) return null;
  const plural = count === 1 ? "1 earlier comment" : `${count} earlier comments`;
  const parts = [`This run also answers for ${plural}. Read and address every one of them too.`];
  for (const comment of withBody) {
    const thread = safeToken(comment.thread_id) || comment.id;
    const when = safeToken(comment.created_at);
    const facts = [`comment ${comment.id}`, `thread ${thread}`, authorOf(comment), ...(when === "" ? [] : [when])];
    parts.push(`${facts.join(", ")}:\n\n${quoteText(comment.content)}`);
  }
  if (withBody.length > 0) {
    parts.push(`The rest of a thread: \`multica issue comment list ${issue} --thread <thread> --tail 30 --output json\`.`);
  }
  if (idsOnly.length > 0) parts.push(lookup(issue, [...new Set(idsOnly)], safeToken(task.new_comments_since)));
  return parts.join("\n\n");
}

function lookup(issue: string, ids: readonly string[], since: string): string {
  const lines = [
    `Their text is not here for: ${ids.join(", ")}.`,
    ...(since === ""
      ? []
      : [
          `\`multica issue comment list ${issue} --since ${since} --output json\` shows a window in which they may be; ` +
            "it is no guarantee, since a repeated run can carry older ones.",
        ]),
    `Look each of the others up by its id, which works for replies too: \`multica issue comment list ${issue} --thread <comment-id> --tail 30 --output json\`, ` +
      "paging back until you have found it. Do not finish before all of them are accounted for.",
  ];
  return lines.join("\n");
}

function authorOf(comment: { author_type?: string | null | undefined; author_name?: string | null | undefined }): string {
  const name = safeName(comment.author_name);
  if (comment.author_type === "agent") return name === "" ? "by another agent" : `by the agent ${name}`;
  return name === "" ? "by a user" : `by ${name}`;
}

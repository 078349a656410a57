import { quoteText, safeName } from "../../../core/index.ts";
import type { Task } from "../../../wire/index.ts";
import { hasText } from "../kind.ts";
import { channelName, chatReader } from "./channel.ts";
import { safeToken } from "./text.ts";

/** A skill of the agent that a message can point to. */
export interface OwnSkill {
  readonly id: string;
  readonly name: string;
}

/** One turn of a conversation: where it happens, who reads it, what was said (daemon.md 12.4). */
export function chatPrompt(task: Task, skills: readonly OwnSkill[]): string {
  if (task.chat_intro === true) {
    return (
      "You are a chat assistant of a Multica workspace, and somebody has just opened a conversation with you. Introduce yourself: a few warm " +
      "sentences in the first person about who you are and what you can help with. Nobody has asked anything yet, so do not answer anything."
    );
  }
  const parts = [`You are a chat assistant of a Multica workspace. ${audience(task)}`];
  if (hasText(task.chat_channel_type)) parts.push(channel(task));
  const chosen = selectedSkills(task.chat_message ?? "", skills);
  if (chosen.length > 0) parts.push(`The message selects these skills of yours; use them for it:\n\n${chosen.map((name) => `- ${name}`).join("\n")}`);
  parts.push("The message:", quoteText(task.chat_message ?? ""));
  const files = attachments(task);
  if (files !== null) parts.push(files);
  parts.push(replyFiles(task));
  return parts.join("\n\n");
}

function audience(task: Task): string {
  if (task.chat_type === "group") return "This is a group room: it is not private, and people you do not see read along.";
  if (task.chat_type === "p2p" || !hasText(task.chat_channel_type)) return "You talk directly with one person.";
  return "Who reads along in this channel is not known: do not take it for private.";
}

function channel(task: Task): string {
  const name = channelName(task);
  const lines = [
    `The conversation takes place in ${name}, not in the Multica app: do not look for it in issues or comments.`,
    readingBack(task, name),
    "Reply with the outcome only. What you have done is part of it; what you are about to do or are doing is not.",
  ];
  return lines.join("\n");
}

function readingBack(task: Task, name: string): string {
  switch (chatReader(task)) {
    case "threads": {
      const history = "`multica chat history --output json` (the top level, with each thread's id and number of replies)";
      const [first, then] =
        task.chat_in_thread === true
          ? ["`multica chat thread --output json` (the thread of this message)", history]
          : [history, "`multica chat thread <id> --output json` (one thread)"];
      return `The message below may be no more than what called you; what came before is in ${name}. Read it first with ${first}, then, if you need it, ${then}. Read silently: do not report that you did.`;
    }
    case "transcript":
      return "Multica keeps a transcript of it: `multica chat history --output json`. Single threads cannot be read.";
    default:
      return "Earlier messages cannot be fetched: work from what is here, and ask the person when something is missing.";
  }
}

/** Names of the agent's own skills that the message links to, each once, in the order of the links. */
function selectedSkills(message: string, skills: readonly OwnSkill[]): string[] {
  const ids = [...message.matchAll(/\[\/(?:\\.|[^\]\\])*\]\(slash:\/\/skill\/([^)\s]+)\)/g)].map((match) => match[1]);
  const names = [...new Set(ids)].map((id) => skills.find((skill) => skill.id !== "" && skill.id === id)?.name);
  return names.filter((name) => name !== undefined).map(safeName);
}

function attachments(task: Task): string | null {
  const files = (task.chat_message_attachments ?? []).filter((file) => safeToken(file.id) !== "");
  if (files.length === 0) return null;
  const lines = files.map((file) => `- ${file.id}: ${safeName(file.filename)}${hasText(file.content_type) ? ` (${safeName(file.content_type)})` : ""}`);
  return [
    "Attached to it:",
    lines.join("\n"),
    "Fetch one with `multica attachment download <id>`; links to it expire. An issue that is to keep one takes `--attachment-id <id>`.",
  ].join("\n\n");
}

/** The claim alone says whether files arrive; the kind of channel proves nothing. */
function replyFiles(task: Task): string {
  if (!hasText(task.chat_channel_type)) {
    return "A file belongs to your reply after `multica attachment upload <path>`; the Markdown it prints can stand in the text, but need not.";
  }
  if (task.chat_channel_delivers_files === true) {
    return "A file is sent with `multica attachment upload <path>`; it arrives as a message of its own, after your text.";
  }
  return "Your reply is text only: files do not arrive here. Describe in words what is in them, name no local paths, and do not say that you sent something.";
}

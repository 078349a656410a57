import { safeName } from "../../../core/index.ts";
import type { Task } from "../../../wire/index.ts";
import { hasText } from "../kind.ts";

/** How the earlier messages of a chat can be read. */
export type ChatReader =
  /** In Multica's own window: nothing has to be fetched. */
  | "window"
  /** In the channel itself, by threads. */
  | "threads"
  /** Multica keeps a transcript. */
  | "transcript"
  /** Not at all. */
  | "none";

const NAMES: Readonly<Record<string, string>> = { slack: "Slack", feishu: "Feishu/Lark", lark: "Feishu/Lark", wecom: "WeCom", dingtalk: "DingTalk" };

/** The channel's name as people write it; empty: the chat happens in Multica's own window. */
export function channelName(task: Task): string {
  const type = (task.chat_channel_type ?? "").trim();
  return NAMES[type.toLowerCase()] ?? safeName(type);
}

export function chatReader(task: Task): ChatReader {
  if (!hasText(task.chat_channel_type)) return "window";
  switch (channelName(task)) {
    case "Slack":
      return "threads";
    case "Feishu/Lark":
    case "WeCom":
    case "DingTalk":
      return "transcript";
    default:
      return "none";
  }
}

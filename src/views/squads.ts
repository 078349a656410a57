import type { ChatTranscript, Member, Squad, SquadMember } from "../lib/wire/index.ts";
import { type Cell, cutText, pairsText, tableText, timeText } from "./table.ts";

/** `squad list`. */
export function squadTable(squads: readonly Squad[]): string {
  return tableText(
    ["ID", "NAME", "LEADER ID", "MEMBERS"],
    squads.map((squad) => [squad.id, squad.name, squad.leader_id, squad.member_count ?? "-"]),
  );
}

/** `squad get --output table`. */
export function squadDetails(squad: Squad): string {
  const pairs: (readonly [string, Cell])[] = [
    ["ID", squad.id],
    ["NAME", squad.name],
    ["LEADER ID", squad.leader_id],
    ["MEMBERS", squad.member_count ?? "-"],
    ["DESCRIPTION", cutText(squad.description, 60)],
    ["INSTRUCTIONS", cutText(squad.instructions, 60)],
    ["ARCHIVED", squad.archived_at ? "yes" : ""],
  ];
  return pairsText(pairs);
}

/** `squad member …`. */
export function squadMemberTable(members: readonly SquadMember[]): string {
  return tableText(["MEMBER ID", "TYPE", "ROLE"], members.map((one) => [one.member_id, one.member_type, one.role]));
}

/** `workspace member list`. */
export function memberTable(members: readonly Member[]): string {
  return tableText(["USER ID", "NAME", "EMAIL", "ROLE"], members.map((one) => [one.user_id, one.name, one.email, one.role]));
}

/** `chat history` and `chat thread`: a note of the server stands alone when there are no messages to show. */
export function transcriptTable(transcript: ChatTranscript): string {
  const { messages, note } = transcript;
  if (note && messages.length === 0) return `${note}\n`;
  const threads = messages.some((message) => message.thread_id);
  return tableText(
    ["TS", "ROLE", "AUTHOR", ...(threads ? ["THREAD_ID", "REPLIES"] : []), "TEXT"],
    messages.map((message) => [
      timeText(message.ts, 16),
      message.role,
      message.author,
      ...(threads ? [message.thread_id, message.reply_count] : []),
      cutText(message.text, 80),
    ]),
  );
}

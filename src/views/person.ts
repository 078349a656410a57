import type { InboxItem, User } from "../lib/wire/index.ts";
import { pairsText, tableText, timeText } from "./table.ts";

/** `inbox list`. */
export function inboxTable(items: readonly InboxItem[]): string {
  return tableText(
    ["ID", "TYPE", "TITLE", "ISSUE STATUS", "READ", "CREATED"],
    items.map((one) => [one.id, one.type, one.title, one.issue_status, one.read ? "yes" : "no", timeText(one.created_at, 16)]),
  );
}

/** `user profile …`. */
export function userProfile(user: User): string {
  return pairsText([
    ["ID", user.id],
    ["NAME", user.name],
    ["EMAIL", user.email],
    ["PROFILE DESCRIPTION", String(user["profile_description"] || "(not set)")],
  ]);
}

import { createIssueExtrasApi } from "../lib/api/user-api-issue.ts";
import { textFlag } from "./flags.ts";
import { checkPersonFlags, findOnePerson } from "./people.ts";
import { resolveIssue } from "./resolve.ts";
import type { Session } from "./session.ts";

/** Who is meant: somebody, or the caller. */
export const subscriberFlags = {
  user: textFlag("member or agent by name; the caller unless given", { helpValue: "<name>" }),
  "user-id": textFlag("member or agent by UUID", { helpValue: "<uuid>" }),
};

interface Wish {
  readonly verb: "subscribe" | "unsubscribe";
  readonly issue: string;
  readonly flags: { readonly user?: string | undefined; readonly "user-id"?: string | undefined };
  /** Opened only after the flags were found right. */
  readonly session: () => Session;
}

/** Begins or ends telling somebody about an issue; answers with what the server said, the issue's key and the person's name ("You" for the caller). */
export async function changeSubscriber({ verb, issue, flags, session: open }: Wish) {
  const who = { name: flags.user, id: flags["user-id"], flags: ["--user", "--user-id"] as const, kinds: ["member", "agent"] as const };
  checkPersonFlags(who);
  const session = open();
  const { id, key } = await resolveIssue(session, issue);
  const person = await findOnePerson(session, who);
  const answer = await createIssueExtrasApi(session.http)[verb](id, person === undefined ? {} : { user_type: person.kind, user_id: person.id });
  return { answer, key, name: person?.name ?? "You" };
}

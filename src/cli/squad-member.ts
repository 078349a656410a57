import { textFlag } from "./flags.ts";
import { notBlank } from "./families.ts";
import { usage } from "./resolve.ts";

/** The flags that name one member of a squad; `--type` and `--member-type` are the same everywhere (cli.md 5.14). */
export const memberKeyFlags = {
  "member-id": textFlag("agent UUID, or a member's user id", { required: true, helpValue: "<uuid>" }),
  type: textFlag("what the member is: an agent unless given", { options: ["agent", "member"] }),
  "member-type": textFlag("same as --type", { options: ["agent", "member"] }),
};

/** The member the flags name. Throws a usage error for an empty id or two different types. */
export function memberKey(flags: { readonly "member-id"?: string | undefined; readonly type?: string | undefined; readonly "member-type"?: string | undefined }) {
  const { type, "member-type": other } = flags;
  if (type !== undefined && other !== undefined && type !== other) throw usage("--type and --member-type name different things");
  return { member_type: type ?? other ?? "agent", member_id: notBlank("--member-id", flags["member-id"] ?? "") };
}

import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag, textFlag } from "../../../cli/flags.ts";
import { checkPersonFlags, findOnePerson } from "../../../cli/people.ts";
import { resolveIssue } from "../../../cli/resolve.ts";
import { createIssueExtrasApi } from "../../../lib/api/user-api-issue.ts";

export default class IssueSubscriberAdd extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Tell somebody, or yourself, about an issue from now on";
  static override readonly examples = ["multica issue subscriber add MUL-12", "multica issue subscriber add MUL-12 --user Dev"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = {
    user: textFlag("member or agent by name; the caller unless given", { helpValue: "<name>" }),
    "user-id": textFlag("member or agent by UUID", { helpValue: "<uuid>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueSubscriberAdd);
    const who = { name: flags.user, id: flags["user-id"], flags: ["--user", "--user-id"] as const, kinds: ["member", "agent"] as const };
    checkPersonFlags(who);
    const session = this.session(flags);
    const { id, key } = await resolveIssue(session, args.issue);
    const person = await findOnePerson(session, who);
    const answer = await createIssueExtrasApi(session.http).subscribe(id, person === undefined ? {} : { user_type: person.kind, user_id: person.id });
    await this.emit(flags, answer, () => "");
    this.note(`${person?.name ?? "You"} will be told about ${key}.`);
  }
}

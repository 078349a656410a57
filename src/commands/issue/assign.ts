import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { findPerson } from "../../cli/issue-fields.ts";
import { checkIssueRef, resolveIssue, usage } from "../../cli/resolve.ts";

export default class IssueAssign extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Give an issue to a member, agent or squad, or to nobody";
  static override readonly examples = ["multica issue assign MUL-12 --to Dev", "multica issue assign MUL-12 --unassign"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = {
    to: textFlag("by name, e-mail or mention", { helpValue: "<name>" }),
    "to-id": textFlag("by UUID", { helpValue: "<uuid>" }),
    unassign: switchFlag("take it away from whoever has it"),
    "no-start": switchFlag("do not start a run (older servers start one anyway)"),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueAssign);
    const targets = [flags.to !== undefined, flags["to-id"] !== undefined, flags.unassign].filter(Boolean).length;
    if (targets !== 1) throw usage("give exactly one of --to, --to-id and --unassign");
    if (flags.unassign && flags["no-start"]) throw usage("--no-start has no meaning with --unassign");
    checkIssueRef(args.issue);
    const session = this.session(flags);
    const { id, key } = await resolveIssue(session, args.issue);
    const person = await findPerson(session, flags.to, flags["to-id"]);
    const issue = await session.api.updateIssue(id, {
      assignee_type: person?.kind ?? null,
      assignee_id: person?.id ?? null,
      ...(flags["no-start"] ? { suppress_run: true } : {}),
    });
    await this.emit(flags, issue, () => "");
    this.note(person === undefined ? `${key} is assigned to nobody.` : `${key} is assigned to ${person.kind} ${person.name}.`);
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag, textFlag } from "../../cli/flags.ts";
import { checkIssueRef, resolveIssue } from "../../cli/resolve.ts";
import { createIssueExtrasApi } from "../../lib/api/user-api-issue.ts";

export default class SquadActivity extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Inside a squad leader's task: record what was decided about the issue";
  static override readonly examples = ['multica squad activity MUL-12 no_action --reason "Only thanks, nothing to do."'];
  static override readonly args = {
    issue: argument("issue key or UUID"),
    outcome: argument("what was decided", { options: ["action", "no_action", "failed"] }),
  };
  static override readonly flags = { reason: textFlag("why", { helpValue: "<text>" }), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SquadActivity);
    checkIssueRef(args.issue);
    const session = this.session(flags);
    const { id, key } = await resolveIssue(session, args.issue);
    const answer = await createIssueExtrasApi(session.http).squadEvaluated(id, { outcome: args.outcome, reason: flags.reason ?? "" });
    await this.emit(flags, answer, () => "");
    this.note(`Recorded ${args.outcome} for ${key}.`);
  }
}

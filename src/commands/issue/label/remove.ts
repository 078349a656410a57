import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag, switchFlag } from "../../../cli/flags.ts";
import { checkIssueRef, resolveIssue } from "../../../cli/resolve.ts";
import { resolveLabel } from "../../../cli/resolve-objects.ts";
import { createIssueExtrasApi } from "../../../lib/api/user-api-issue.ts";

export default class IssueLabelRemove extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Take a label off an issue";
  static override readonly examples = ["multica issue label remove MUL-12 3f2a"];
  static override readonly args = { issue: argument("issue key or UUID"), label: argument("label UUID or its first digits") };
  static override readonly flags = { "full-id": switchFlag("show whole ids"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueLabelRemove);
    checkIssueRef(args.issue);
    const session = this.session(flags);
    const { id, key } = await resolveIssue(session, args.issue);
    const api = createIssueExtrasApi(session.http);
    await api.removeLabel(id, await resolveLabel(session, args.label));
    // The label is off: a look that fails must not make anybody repeat it (cli.md 1.2).
    const left = await api.labels(id).catch(() => undefined);
    await this.emit(flags, left ?? { detached: true }, async () => {
      return left === undefined ? `Took the label off ${key}.\n` : (await import("../../../views/issue-extras.ts")).labelTable(left, flags["full-id"]);
    });
  }
}

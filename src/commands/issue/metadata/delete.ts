import { ApiCommand } from "../../../cli/api-command.ts";
import { notBlank } from "../../../cli/families.ts";
import { argument, outputFlag, requiredTextFlag } from "../../../cli/flags.ts";
import { resolveIssue } from "../../../cli/resolve.ts";
import { createIssueExtrasApi } from "../../../lib/api/user-api-issue.ts";

export default class IssueMetadataDelete extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Remove a metadata value of an issue";
  static override readonly examples = ["multica issue metadata delete MUL-12 --key branch"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { key: requiredTextFlag("the value's name", { helpValue: "<key>" }), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueMetadataDelete);
    const key = notBlank("--key", flags.key);
    const session = this.session(flags);
    const { id, key: issue } = await resolveIssue(session, args.issue);
    const api = createIssueExtrasApi(session.http);
    await api.deleteMetadata(id, key);
    // What is deleted is deleted: a look that fails must not make anybody repeat it (cli.md 1.2).
    const left = await api.metadata(id).catch(() => undefined);
    await this.emit(flags, left ?? { deleted: true }, async () => {
      return left === undefined ? `Removed ${key} from ${issue}.\n` : (await import("../../../views/issue-extras.ts")).metadataTable(left);
    });
  }
}

import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag, requiredTextFlag } from "../../../cli/flags.ts";
import { missing, resolveIssue } from "../../../cli/resolve.ts";
import { createIssueExtrasApi } from "../../../lib/api/user-api-issue.ts";

export default class IssueMetadataGet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show one metadata value of an issue";
  static override readonly examples = ["multica issue metadata get MUL-12 --key branch"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { key: requiredTextFlag("the value's name", { helpValue: "<key>" }), output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueMetadataGet);
    const session = this.session(flags);
    const { id, key } = await resolveIssue(session, args.issue);
    const metadata = await createIssueExtrasApi(session.http).metadata(id);
    if (!Object.hasOwn(metadata, flags.key)) throw missing(`${key} has no metadata ${JSON.stringify(flags.key)}`, `multica issue metadata list ${key} shows what it has.`);
    const value = metadata[flags.key];
    await this.emit(flags, value, async () => (await import("../../../views/issue-extras.ts")).metadataTable({ [flags.key]: value }));
  }
}

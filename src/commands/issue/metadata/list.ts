import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { resolveIssue } from "../../../cli/resolve.ts";
import { isStatus } from "../../../lib/api/errors.ts";
import { createIssueExtrasApi, type Metadata } from "../../../lib/api/user-api-issue.ts";

export default class IssueMetadataList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show the small facts that runs keep with an issue";
  static override readonly examples = ["multica issue metadata list MUL-12 --output json"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueMetadataList);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, args.issue);
    // Every run begins with this: it must not fail on a server that has no metadata.
    const metadata = await createIssueExtrasApi(session.http).metadata(id).catch((error: unknown): Metadata => {
      if (isStatus(error, 404)) return {};
      throw error;
    });
    await this.emit(flags, metadata, async () => (await import("../../../views/issue-extras.ts")).metadataTable(metadata));
  }
}

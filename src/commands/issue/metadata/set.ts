import { ApiCommand } from "../../../cli/api-command.ts";
import { notBlank } from "../../../cli/families.ts";
import { argument, outputFlag, requiredTextFlag, textFlag } from "../../../cli/flags.ts";
import { metadataValue } from "../../../cli/metadata.ts";
import { resolveIssue } from "../../../cli/resolve.ts";
import { createIssueExtrasApi } from "../../../lib/api/user-api-issue.ts";

export default class IssueMetadataSet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Keep a small fact with an issue";
  static override readonly examples = [
    "multica issue metadata set MUL-12 --key branch --value fix/login",
    "multica issue metadata set MUL-12 --key build --value 1204 --type string",
  ];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = {
    key: requiredTextFlag("letters, digits, _ . -; at most 64 characters", { helpValue: "<key>" }),
    value: requiredTextFlag("a JSON text, number or boolean counts as such, all else is text", { helpValue: "<value>" }),
    type: textFlag("what the value is, whatever it looks like", { options: ["string", "number", "bool"] }),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueMetadataSet);
    const key = notBlank("--key", flags.key);
    const value = metadataValue(flags.value, flags.type);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, args.issue);
    const metadata = await createIssueExtrasApi(session.http).setMetadata(id, key, value);
    await this.emit(flags, metadata, async () => (await import("../../../views/issue-extras.ts")).metadataTable(metadata));
  }
}

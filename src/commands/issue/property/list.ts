import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { catalogue } from "../../../cli/properties.ts";
import { propertyRows } from "../../../cli/property-values.ts";
import { checkIssueRef } from "../../../cli/resolve.ts";

export default class IssuePropertyList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the values of an issue's custom properties";
  static override readonly examples = ["multica issue property list MUL-12 --output json"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssuePropertyList);
    const ref = checkIssueRef(args.issue);
    const session = this.session(flags);
    const issue = await session.api.issue(ref);
    const rows = await propertyRows(session, await catalogue(session), issue.properties ?? {});
    await this.emit(flags, rows, async () => (await import("../../../views/properties.ts")).propertyValueTable(rows));
  }
}

import { ApiCommand } from "../../../cli/api-command.ts";
import { notBlank } from "../../../cli/families.ts";
import { argument, outputFlag, requiredTextFlag } from "../../../cli/flags.ts";
import { catalogue, chooseProperty } from "../../../cli/properties.ts";
import { propertyRows } from "../../../cli/property-values.ts";
import { checkIssueRef, resolveIssue } from "../../../cli/resolve.ts";
import { createPropertyApi } from "../../../lib/api/user-api-property.ts";

export default class IssuePropertyUnset extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Take the value of a custom property from an issue";
  static override readonly examples = ["multica issue property unset MUL-12 --name Severity"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { name: requiredTextFlag("property name or UUID", { helpValue: "<property>" }), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssuePropertyUnset);
    const ref = checkIssueRef(args.issue);
    const name = notBlank("--name", flags.name);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, ref);
    const properties = await catalogue(session);
    const values = await createPropertyApi(session.http).unsetValue(id, chooseProperty(properties, name).id);
    const rows = await propertyRows(session, properties, values);
    await this.emit(flags, rows, async () => (await import("../../../views/properties.ts")).propertyValueTable(rows));
  }
}

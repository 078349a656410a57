import { ApiCommand } from "../../../cli/api-command.ts";
import { notBlank } from "../../../cli/families.ts";
import { argument, outputFlag, requiredTextFlag } from "../../../cli/flags.ts";
import { catalogue, chooseProperty } from "../../../cli/properties.ts";
import { encodeValue, propertyRows } from "../../../cli/property-values.ts";
import { checkIssueRef, resolveIssue } from "../../../cli/resolve.ts";
import { createPropertyApi } from "../../../lib/api/user-api-property.ts";

export default class IssuePropertySet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Give a custom property of an issue a value";
  static override readonly examples = [
    "multica issue property set MUL-12 --name Severity --value High",
    "multica issue property set MUL-12 --name Reviewers --value 'Ann,Bo'",
  ];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = {
    name: requiredTextFlag("property name or UUID", { helpValue: "<property>" }),
    value: requiredTextFlag("the value; options and people by name, several with commas", { helpValue: "<value>" }),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssuePropertySet);
    const ref = checkIssueRef(args.issue);
    const name = notBlank("--name", flags.name);
    notBlank("--value", flags.value);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, ref);
    const properties = await catalogue(session);
    const property = chooseProperty(properties, name);
    const value = await encodeValue(session, property, flags.value);
    const rows = await propertyRows(session, properties, await createPropertyApi(session.http).setValue(id, property.id, { value }));
    await this.emit(flags, rows, async () => (await import("../../../views/properties.ts")).propertyValueTable(rows));
  }
}

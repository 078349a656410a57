import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { catalogue, chooseProperty } from "../../cli/properties.ts";
import { createPropertyApi } from "../../lib/api/user-api-property.ts";

export default class PropertyUnarchive extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Bring an archived custom property back into use";
  static override readonly examples = ["multica property unarchive Severity"];
  static override readonly args = { property: argument("property name or UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PropertyUnarchive);
    const session = this.session(flags);
    const { id } = chooseProperty(await catalogue(session), args.property);
    const property = await createPropertyApi(session.http).update(id, { archived: false });
    await this.emit(flags, property, async () => (await import("../../views/properties.ts")).propertyTable([property]));
  }
}

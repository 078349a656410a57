import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { catalogue, chooseProperty } from "../../cli/properties.ts";

export default class PropertyGet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show a custom property with its options";
  static override readonly examples = ["multica property get Severity"];
  static override readonly args = { property: argument("property name or UUID") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PropertyGet);
    const property = chooseProperty(await catalogue(this.session(flags)), args.property);
    await this.emit(flags, property, async () => (await import("../../views/properties.ts")).propertyTable([property]));
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { notBlank } from "../../cli/families.ts";
import { argument, listFlag, outputFlag, textFlag } from "../../cli/flags.ts";
import { catalogue, checkOptionType, choices, chooseProperty, optionList } from "../../cli/properties.ts";
import { usage } from "../../cli/resolve.ts";
import { createPropertyApi } from "../../lib/api/user-api-property.ts";

export default class PropertyUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change a custom property; only the given fields are sent, options replace all";
  static override readonly examples = ["multica property update Severity --option 'High:#d73a4a' --option Low --option None"];
  static override readonly args = { property: argument("property name or UUID") };
  static override readonly flags = {
    name: textFlag("name", { helpValue: "<name>" }),
    description: textFlag("what it is for; empty clears", { helpValue: "<text>" }),
    icon: textFlag("icon, such as an emoji; empty clears", { helpValue: "<icon>" }),
    option: listFlag("choice of a select, Name or Name:#rrggbb; repeatable", "<option>"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PropertyUpdate);
    const fields = {
      ...(flags.name === undefined ? {} : { name: notBlank("--name", flags.name) }),
      ...(flags.description === undefined ? {} : { description: flags.description }),
      ...(flags.icon === undefined ? {} : { icon: flags.icon }),
    };
    if (Object.keys(fields).length === 0 && flags.option === undefined) throw usage("nothing to change");
    // The same rules without the ids that are kept: bad options need no request.
    optionList(flags.option ?? []);
    const session = this.session(flags);
    const before = chooseProperty(await catalogue(session), args.property);
    checkOptionType(before.type, flags.option);
    const config = flags.option === undefined ? {} : { config: { options: optionList(flags.option, choices(before)) } };
    const property = await createPropertyApi(session.http).update(before.id, { ...fields, ...config });
    await this.emit(flags, property, async () => (await import("../../views/properties.ts")).propertyTable([property]));
  }
}

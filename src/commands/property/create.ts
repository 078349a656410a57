import { ApiCommand } from "../../cli/api-command.ts";
import { notBlank } from "../../cli/families.ts";
import { listFlag, outputFlag, requiredTextFlag, textFlag } from "../../cli/flags.ts";
import { newerServer } from "../../cli/newer-server.ts";
import { checkOptionType, optionList, TYPES } from "../../cli/properties.ts";
import { Flags } from "../../cli/oclif.ts";
import { createPropertyApi } from "../../lib/api/user-api-property.ts";

export default class PropertyCreate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Create a custom property for issues";
  static override readonly examples = [
    "multica property create --name Estimate --type number",
    "multica property create --name Severity --type select --option 'High:#d73a4a' --option Low",
  ];
  static override readonly flags = {
    name: requiredTextFlag("name", { helpValue: "<name>" }),
    type: Flags.string({ description: "what its values are", required: true, options: TYPES }),
    description: textFlag("what it is for", { helpValue: "<text>" }),
    icon: textFlag("icon, such as an emoji", { helpValue: "<icon>" }),
    option: listFlag("choice of a select, Name or Name:#rrggbb; repeatable", "<option>"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(PropertyCreate);
    const name = notBlank("--name", flags.name);
    checkOptionType(flags.type, flags.option);
    const body = {
      name,
      type: flags.type,
      ...(flags.description === undefined ? {} : { description: flags.description }),
      ...(flags.icon === undefined ? {} : { icon: flags.icon }),
      ...(flags.option === undefined ? {} : { config: { options: optionList(flags.option) } }),
    };
    const session = this.session(flags);
    session.workspaceId();
    const property = await newerServer("custom properties", createPropertyApi(session.http).create(body));
    await this.emit(flags, property, async () => (await import("../../views/properties.ts")).propertyTable([property]));
  }
}

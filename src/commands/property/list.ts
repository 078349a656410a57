import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag, switchFlag } from "../../cli/flags.ts";
import { newerServer } from "../../cli/newer-server.ts";
import { createPropertyApi } from "../../lib/api/user-api-property.ts";

export default class PropertyList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the custom properties that issues can have";
  static override readonly examples = ["multica property list", "multica property list --include-archived --output json"];
  static override readonly flags = { "include-archived": switchFlag("archived ones too"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(PropertyList);
    const session = this.session(flags);
    session.workspaceId();
    const properties = await newerServer("custom properties", createPropertyApi(session.http).list(flags["include-archived"]));
    await this.emit(flags, properties, async () => (await import("../../views/properties.ts")).propertyTable(properties));
  }
}

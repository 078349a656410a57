import { ApiCommand } from "../../../cli/api-command.ts";
import { outputFlag } from "../../../cli/flags.ts";

export default class RuntimeProfileList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the custom agent commands of the workspace";
  static override readonly examples = ["multica runtime profile list"];
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(RuntimeProfileList);
    const session = this.session(flags);
    const profiles = [...((await session.api.profiles(session.workspaceId())) ?? [])];
    profiles.sort((a, b) => a.display_name.localeCompare(b.display_name));
    await this.emit(flags, profiles, async () => (await import("../../../views/runtimes.ts")).profileTable(profiles));
  }
}

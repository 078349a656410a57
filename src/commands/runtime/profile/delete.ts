import { ApiCommand } from "../../../cli/api-command.ts";
import { argument } from "../../../cli/flags.ts";

export default class RuntimeProfileDelete extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Delete a custom agent command that no agent uses";
  static override readonly examples = ["multica runtime profile delete 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { profile: argument("runtime profile UUID") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RuntimeProfileDelete);
    const session = this.session(flags);
    await session.api.deleteProfile(session.workspaceId(), args.profile);
    await this.emit(flags, { id: args.profile, deleted: true }, () => "");
    this.note(`Deleted runtime profile ${args.profile}.`);
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { argument } from "../../cli/flags.ts";
import { resolveAutopilot } from "../../cli/resolve-objects.ts";
import { createAutopilotApi } from "../../lib/api/user-api-autopilot.ts";

export default class AutopilotDelete extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Delete an autopilot and its runs";
  static override readonly examples = ["multica autopilot delete 3f2a"];
  static override readonly args = { autopilot: argument("autopilot UUID or its first digits") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AutopilotDelete);
    const session = this.session(flags);
    const id = await resolveAutopilot(session, args.autopilot);
    await createAutopilotApi(session.http).remove(id);
    await this.emit(flags, { id, deleted: true }, () => "");
    this.note(`Deleted autopilot ${id}.`);
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { argument } from "../../cli/flags.ts";
import { resolveAutopilot, resolveTrigger } from "../../cli/resolve-objects.ts";
import { createAutopilotApi } from "../../lib/api/user-api-autopilot.ts";

export default class AutopilotTriggerDelete extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Take a schedule or a webhook from an autopilot";
  static override readonly examples = ["multica autopilot trigger-delete 3f2a 91bc"];
  static override readonly args = { autopilot: argument("autopilot UUID or its first digits"), trigger: argument("trigger UUID or its first digits") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AutopilotTriggerDelete);
    const session = this.session(flags);
    const id = await resolveAutopilot(session, args.autopilot);
    const trigger = await resolveTrigger(session, id, args.trigger);
    await createAutopilotApi(session.http).removeTrigger(id, trigger);
    await this.emit(flags, { id: trigger, deleted: true }, () => "");
    this.note(`Deleted trigger ${trigger}.`);
  }
}

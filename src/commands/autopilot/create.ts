import { ApiCommand } from "../../cli/api-command.ts";
import { autopilotFieldFlags, autopilotFields, checkAutopilotFields, MODES } from "../../cli/autopilot-fields.ts";
import { outputFlag, requiredTextFlag, textFlag } from "../../cli/flags.ts";
import { createAutopilotApi } from "../../lib/api/user-api-autopilot.ts";

export default class AutopilotCreate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Create an autopilot; multica autopilot trigger-add gives it a schedule";
  static override readonly examples = ['multica autopilot create --title Nightly --agent Dev --mode run_only --description "Check the builds."'];
  static override readonly flags = {
    title: requiredTextFlag("title", { helpValue: "<text>" }),
    agent: requiredTextFlag("the agent that works, by UUID or name", { helpValue: "<agent>" }),
    mode: textFlag("each run creates an issue, or only runs", { required: true, options: MODES }),
    ...autopilotFieldFlags,
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AutopilotCreate);
    checkAutopilotFields(flags);
    const session = this.session(flags);
    session.workspaceId();
    const autopilot = await createAutopilotApi(session.http).create(await autopilotFields(session, flags));
    await this.emit(flags, autopilot, () => `${autopilot.title}  ${autopilot.id}\n`);
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { createAutopilotApi } from "../../lib/api/user-api-autopilot.ts";

export default class AutopilotList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the workspace's autopilots";
  static override readonly examples = ["multica autopilot list", "multica autopilot list --status active --output json"];
  static override readonly flags = { status: textFlag("only this status", { helpValue: "<status>" }), "full-id": switchFlag("show whole ids"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(AutopilotList);
    const session = this.session(flags);
    session.workspaceId();
    const found = await createAutopilotApi(session.http).list({ status: flags.status });
    await this.emit(flags, found, async () => {
      const { displayNames } = await import("../../cli/names.ts");
      const { autopilotTable } = await import("../../views/autopilots.ts");
      return autopilotTable(found.autopilots, flags["full-id"], await displayNames(session));
    });
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { resolveAutopilot } from "../../cli/resolve-objects.ts";
import { createAutopilotApi } from "../../lib/api/user-api-autopilot.ts";

export default class AutopilotTrigger extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Start a run of an autopilot now";
  static override readonly examples = ["multica autopilot trigger 3f2a"];
  static override readonly args = { autopilot: argument("autopilot UUID or its first digits") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AutopilotTrigger);
    const session = this.session(flags);
    const run = await createAutopilotApi(session.http).trigger(await resolveAutopilot(session, args.autopilot));
    await this.emit(flags, run, async () => (await import("../../views/autopilots.ts")).autopilotRunTable([run]));
  }
}

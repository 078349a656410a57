import { ApiCommand } from "../../cli/api-command.ts";
import { argument, countFlag, outputFlag } from "../../cli/flags.ts";
import { resolveAutopilot } from "../../cli/resolve-objects.ts";
import { createAutopilotApi } from "../../lib/api/user-api-autopilot.ts";

export default class AutopilotRuns extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the runs of an autopilot, newest first";
  static override readonly examples = ["multica autopilot runs 3f2a --limit 5"];
  static override readonly args = { autopilot: argument("autopilot UUID or its first digits") };
  static override readonly flags = {
    limit: countFlag("how many at most", { min: 1, default: 20 }),
    offset: countFlag("how many to skip", { default: 0 }),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AutopilotRuns);
    const session = this.session(flags);
    const runs = await createAutopilotApi(session.http).runs(await resolveAutopilot(session, args.autopilot), { limit: flags.limit, offset: flags.offset });
    await this.emit(flags, runs, async () => (await import("../../views/autopilots.ts")).autopilotRunTable(runs));
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { resolveAutopilot, resolveTrigger } from "../../cli/resolve-objects.ts";
import { usage } from "../../cli/resolve.ts";
import { createAutopilotApi } from "../../lib/api/user-api-autopilot.ts";

export default class AutopilotTriggerUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change what sets an autopilot off";
  static override readonly examples = ["multica autopilot trigger-update 3f2a 91bc --enabled=false"];
  static override readonly args = { autopilot: argument("autopilot UUID or its first digits"), trigger: argument("trigger UUID or its first digits") };
  static override readonly flags = {
    enabled: switchFlag("let it start runs; --enabled=false stops it"),
    cron: textFlag("when, in five fields", { helpValue: "<cron>" }),
    timezone: textFlag("the time zone of the schedule", { helpValue: "<zone>" }),
    label: textFlag("name that people see", { helpValue: "<text>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags, raw } = await this.parse(AutopilotTriggerUpdate);
    const body = {
      ...(this.setFlags(raw).has("enabled") ? { enabled: flags.enabled === true } : {}),
      ...(flags.cron === undefined ? {} : { cron_expression: flags.cron }),
      ...(flags.timezone === undefined ? {} : { timezone: flags.timezone }),
      ...(flags.label === undefined ? {} : { label: flags.label }),
    };
    if (Object.keys(body).length === 0) throw usage("nothing to change");
    const session = this.session(flags);
    const id = await resolveAutopilot(session, args.autopilot);
    const trigger = await createAutopilotApi(session.http).updateTrigger(id, await resolveTrigger(session, id, args.trigger), body);
    await this.emit(flags, trigger, async () => (await import("../../views/autopilots.ts")).triggerTable([trigger]));
  }
}

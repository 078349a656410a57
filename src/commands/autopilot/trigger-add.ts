import { ApiCommand } from "../../cli/api-command.ts";
import { webhookAddress } from "../../cli/autopilot-secrets.ts";
import { argument, outputFlag, textFlag } from "../../cli/flags.ts";
import { resolveAutopilot } from "../../cli/resolve-objects.ts";
import { usage } from "../../cli/resolve.ts";
import { createAutopilotApi } from "../../lib/api/user-api-autopilot.ts";

export default class AutopilotTriggerAdd extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Give an autopilot a schedule or a webhook";
  static override readonly examples = ['multica autopilot trigger-add 3f2a --cron "0 3 * * *" --timezone Europe/Berlin', "multica autopilot trigger-add 3f2a --kind webhook --output table"];
  static override readonly args = { autopilot: argument("autopilot UUID or its first digits") };
  static override readonly flags = {
    kind: textFlag("what sets it off; schedule unless given", { options: ["schedule", "webhook"] }),
    cron: textFlag("when, in five fields", { helpValue: "<cron>" }),
    timezone: textFlag("the time zone of the schedule", { helpValue: "<zone>" }),
    label: textFlag("name that people see", { helpValue: "<text>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AutopilotTriggerAdd);
    const kind = flags.kind ?? "schedule";
    if (kind === "schedule" && (flags.cron ?? "").trim() === "") throw usage("a schedule needs --cron");
    if (kind === "webhook" && (flags.cron !== undefined || flags.timezone !== undefined)) throw usage("a webhook takes neither --cron nor --timezone");
    const session = this.session(flags);
    const id = await resolveAutopilot(session, args.autopilot);
    const trigger = await createAutopilotApi(session.http).addTrigger(id, {
      kind,
      ...(flags.cron === undefined ? {} : { cron_expression: flags.cron }),
      ...(flags.timezone === undefined ? {} : { timezone: flags.timezone }),
      ...(flags.label === undefined ? {} : { label: flags.label }),
    });
    await this.emit(flags, trigger, async () => {
      const url = webhookAddress(trigger, session.http.serverUrl);
      return `${(await import("../../views/autopilots.ts")).triggerTable([trigger])}${url === "" ? "" : `${url}\n`}`;
    });
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { webhookAddress } from "../../cli/autopilot-secrets.ts";
import { confirmOrYes } from "../../cli/confirm-yes.ts";
import { argument, outputFlag, switchFlag } from "../../cli/flags.ts";
import { resolveAutopilot, resolveTrigger } from "../../cli/resolve-objects.ts";
import { createAutopilotApi } from "../../lib/api/user-api-autopilot.ts";

export default class AutopilotTriggerRotateUrl extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Give a webhook a new address; the old one ends at once";
  static override readonly examples = ["multica autopilot trigger-rotate-url 3f2a 91bc --yes"];
  static override readonly args = { autopilot: argument("autopilot UUID or its first digits"), trigger: argument("trigger UUID or its first digits") };
  static override readonly flags = { yes: switchFlag("do not ask", { char: "y" }), output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AutopilotTriggerRotateUrl);
    if (!(await confirmOrYes(`Give webhook ${args.trigger} a new address? Whoever calls the old one will fail.`, flags.yes))) {
      return this.note("Nothing was changed.");
    }
    const session = this.session(flags);
    const id = await resolveAutopilot(session, args.autopilot);
    const trigger = await createAutopilotApi(session.http).rotateUrl(id, await resolveTrigger(session, id, args.trigger));
    await this.emit(flags, trigger, async () => {
      return `${(await import("../../views/autopilots.ts")).triggerTable([trigger])}${webhookAddress(trigger, session.http.serverUrl)}\n`;
    });
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { withoutSecrets } from "../../cli/autopilot-secrets.ts";
import { argument, outputFlag, switchFlag } from "../../cli/flags.ts";
import { resolveAutopilot } from "../../cli/resolve-objects.ts";
import { usage } from "../../cli/resolve.ts";
import { createAutopilotApi } from "../../lib/api/user-api-autopilot.ts";

export default class AutopilotGet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show an autopilot and what sets it off";
  static override readonly examples = ["multica autopilot get 3f2a --output json"];
  static override readonly args = { autopilot: argument("autopilot UUID or its first digits") };
  static override readonly flags = { "show-secrets": switchFlag("with the addresses of webhooks; JSON only"), output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AutopilotGet);
    if (flags["show-secrets"] && !this.wantsJson(flags)) throw usage("--show-secrets needs --output json");
    const session = this.session(flags);
    const { autopilot, triggers } = await createAutopilotApi(session.http).get(await resolveAutopilot(session, args.autopilot));
    const shown = (triggers ?? []).map((trigger) => (flags["show-secrets"] ? trigger : withoutSecrets(trigger)));
    if (flags["show-secrets"]) this.note("Warning: whoever reads these addresses can start the autopilot.");
    await this.emit(flags, { autopilot, triggers: shown }, async () => {
      const { displayNames } = await import("../../cli/names.ts");
      const { autopilotDetails } = await import("../../views/autopilots.ts");
      return autopilotDetails(autopilot, shown, await displayNames(session));
    });
  }
}

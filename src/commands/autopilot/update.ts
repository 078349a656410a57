import { ApiCommand } from "../../cli/api-command.ts";
import { autopilotFieldFlags, autopilotFields, checkAutopilotFields, MODES } from "../../cli/autopilot-fields.ts";
import { argument, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { resolveAutopilot } from "../../cli/resolve-objects.ts";
import { usage } from "../../cli/resolve.ts";
import { createAutopilotApi } from "../../lib/api/user-api-autopilot.ts";

export default class AutopilotUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change fields of an autopilot; only the given ones are sent";
  static override readonly examples = ["multica autopilot update 3f2a --status paused"];
  static override readonly args = { autopilot: argument("autopilot UUID or its first digits") };
  static override readonly flags = {
    title: textFlag("title", { helpValue: "<text>" }),
    agent: textFlag("the agent that works, by UUID or name", { helpValue: "<agent>" }),
    mode: textFlag("each run creates an issue, or only runs", { options: MODES }),
    ...autopilotFieldFlags,
    "clear-subscribers": switchFlag("nobody is told of its issues"),
    status: textFlag("status, such as active or paused", { helpValue: "<status>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags, raw } = await this.parse(AutopilotUpdate);
    checkAutopilotFields(flags);
    if (flags.subscriber !== undefined && flags["clear-subscribers"]) throw usage("--subscriber and --clear-subscribers exclude each other");
    const set = this.setFlags(raw);
    const fields = ["title", "agent", "mode", "status", "clear-subscribers", ...Object.keys(autopilotFieldFlags)];
    if (!fields.some((name) => set.has(name))) throw usage("nothing to change");
    const session = this.session(flags);
    const id = await resolveAutopilot(session, args.autopilot);
    const autopilot = await createAutopilotApi(session.http).update(id, {
      ...(await autopilotFields(session, flags)),
      ...(flags.status === undefined ? {} : { status: flags.status }),
      ...(flags["clear-subscribers"] ? { subscribers: [] } : {}),
    });
    await this.emit(flags, autopilot, () => `${autopilot.title}  ${autopilot.id}\n`);
  }
}

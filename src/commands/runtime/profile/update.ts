import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag, switchFlag, textFlag } from "../../../cli/flags.ts";
import { usage } from "../../../cli/resolve.ts";

export default class RuntimeProfileUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change a custom agent command; its protocol family stays";
  static override readonly examples = ["multica runtime profile update 0190d3c2-8d2a-7000-8000-000000000000 --enabled=false"];
  static override readonly args = { profile: argument("runtime profile UUID") };
  static override readonly flags = {
    "display-name": textFlag("name that people see", { helpValue: "<name>" }),
    "command-name": textFlag("command that machines start", { helpValue: "<command>" }),
    description: textFlag("what it is", { helpValue: "<text>" }),
    enabled: switchFlag("let machines register it; --enabled=false switches it off"),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags, raw } = await this.parse(RuntimeProfileUpdate);
    const set = this.setFlags(raw);
    const body = {
      ...(flags["display-name"] === undefined ? {} : { display_name: flags["display-name"] }),
      ...(flags["command-name"] === undefined ? {} : { command_name: flags["command-name"] }),
      ...(flags.description === undefined ? {} : { description: flags.description }),
      ...(set.has("enabled") ? { enabled: flags.enabled === true } : {}),
    };
    if (Object.keys(body).length === 0) throw usage("nothing to change");
    const session = this.session(flags);
    const profile = await session.api.updateProfile(session.workspaceId(), args.profile, body);
    await this.emit(flags, profile, async () => (await import("../../../views/runtimes.ts")).profileTable([profile]));
  }
}

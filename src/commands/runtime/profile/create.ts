import { ApiCommand } from "../../../cli/api-command.ts";
import { checkFamily, notBlank } from "../../../cli/families.ts";
import { outputFlag, requiredTextFlag, textFlag } from "../../../cli/flags.ts";

export default class RuntimeProfileCreate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Define a custom agent command for the workspace";
  static override readonly examples = ["multica runtime profile create --protocol-family acp --command-name my-agent --display-name Mine"];
  static override readonly flags = {
    "protocol-family": requiredTextFlag("protocol the command speaks, such as acp or codex", { helpValue: "<family>" }),
    "command-name": requiredTextFlag("command that machines start", { helpValue: "<command>" }),
    "display-name": requiredTextFlag("name that people see", { helpValue: "<name>" }),
    description: textFlag("what it is", { helpValue: "<text>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(RuntimeProfileCreate);
    const body = {
      display_name: notBlank("--display-name", flags["display-name"]),
      protocol_family: checkFamily(flags["protocol-family"]),
      command_name: notBlank("--command-name", flags["command-name"]),
      ...(flags.description === undefined ? {} : { description: flags.description }),
    };
    const session = this.session(flags);
    const profile = await session.api.createProfile(session.workspaceId(), body);
    await this.emit(flags, profile, async () => (await import("../../../views/runtimes.ts")).profileTable([profile]));
  }
}

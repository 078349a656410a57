import { BaseCommand } from "../../../cli/base-command.ts";
import { argument } from "../../../cli/flags.ts";

export default class RuntimeProfileUnsetPath extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Forget where a custom agent command is on this machine";
  static override readonly examples = ["multica runtime profile unset-path 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { profile: argument("runtime profile UUID") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RuntimeProfileUnsetPath);
    const { unsetProfilePath } = await import("../../../cli/profile-paths.ts");
    const result = await unsetProfilePath(this.context(flags).stateDir, args.profile);
    await this.emit(flags, result, () => "");
    this.note(result.previous === null ? `No path was set for ${args.profile}.` : `Removed the path of ${args.profile}.`);
  }
}

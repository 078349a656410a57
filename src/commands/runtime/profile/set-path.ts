import { BaseCommand } from "../../../cli/base-command.ts";
import { argument, optionalArgument, textFlag } from "../../../cli/flags.ts";
import { usage } from "../../../cli/resolve.ts";

export default class RuntimeProfileSetPath extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Say where a custom agent command is on this machine";
  static override readonly examples = ["multica runtime profile set-path 0190d3c2-8d2a-7000-8000-000000000000 --path /opt/agents/mine"];
  static override readonly args = {
    profile: argument("runtime profile UUID"),
    path: optionalArgument("absolute path, instead of --path"),
  };
  static override readonly flags = { path: textFlag("absolute path of the command", { helpValue: "<path>" }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RuntimeProfileSetPath);
    const path = flags.path ?? args.path;
    if (path === undefined || (flags.path !== undefined && args.path !== undefined)) throw usage("give the path once, with --path");
    const { isExecutable, setProfilePath } = await import("../../../cli/profile-paths.ts");
    const result = await setProfilePath(this.context(flags).stateDir, args.profile, path);
    await this.emit(flags, result, () => "");
    this.note(`Runtime profile ${args.profile} starts ${path}; a running daemon takes it up by itself.`);
    if (!isExecutable(path)) this.note(`Warning: ${path} is missing or not executable.`);
  }
}

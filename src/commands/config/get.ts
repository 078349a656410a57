import { BaseCommand } from "../../cli/base-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { missing, usage } from "../../cli/resolve.ts";

export default class ConfigGet extends BaseCommand {
  static override readonly access = "task-config";
  static override readonly summary = "Print one setting; exit 4 when it is not set";
  static override readonly examples = ["multica config get server_url"];
  static override readonly args = { key: argument("key as config show lists it") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConfigGet);
    if (args.key === "token") throw usage("the token is not shown", "multica auth status tells whose it is.");
    const { readRawSettings } = await import("../../lib/config/index.ts");
    const value = readRawSettings(this.context(flags).stateDir)[args.key];
    if (value === undefined) throw missing(`${args.key} is not set`);
    await this.emit(flags, value, () => `${typeof value === "object" ? JSON.stringify(value) : String(value)}\n`);
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag, switchFlag } from "../../cli/flags.ts";
import { deleteRuntime } from "../../cli/runtime-delete.ts";

export default class RuntimeDelete extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Delete a runtime; a machine whose daemon still runs registers it again";
  static override readonly examples = ["multica runtime delete 0190d3c2-8d2a-7000-8000-000000000000 --cascade"];
  static override readonly args = { runtime: argument("runtime UUID") };
  static override readonly flags = { cascade: switchFlag("also when agents are bound to it: they stay without a runtime"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RuntimeDelete);
    const went = await deleteRuntime(this.session(flags).http, args.runtime, flags.cascade);
    await this.emit(flags, { id: args.runtime, deleted: true, ...went }, () => "");
    const rest = Object.entries(went).map(([key, count]) => `${key.replace("_", " ")}: ${count}`);
    this.note(`Deleted runtime ${args.runtime}.${rest.length === 0 ? "" : ` ${rest.join(", ")}.`}`);
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { createRuntimeApi } from "../../lib/api/user-api-runtime.ts";

export default class RuntimeActivity extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show how many runs began on a runtime in each hour of the day (UTC)";
  static override readonly examples = ["multica runtime activity 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { runtime: argument("runtime UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RuntimeActivity);
    const hours = await createRuntimeApi(this.session(flags).http).activity(args.runtime);
    await this.emit(flags, hours, async () => (await import("../../views/runtimes.ts")).runtimeActivityTable(hours));
  }
}

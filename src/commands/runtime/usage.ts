import { ApiCommand } from "../../cli/api-command.ts";
import { argument, countFlag, outputFlag } from "../../cli/flags.ts";
import { createRuntimeApi } from "../../lib/api/user-api-runtime.ts";

export default class RuntimeUsage extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show the tokens that runs on a runtime used, by day and model";
  static override readonly examples = ["multica runtime usage 0190d3c2-8d2a-7000-8000-000000000000 --days 7"];
  static override readonly args = { runtime: argument("runtime UUID") };
  static override readonly flags = { days: countFlag("days back from now", { min: 1, max: 365, default: 90 }), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RuntimeUsage);
    const usage = await createRuntimeApi(this.session(flags).http).usage(args.runtime, flags.days ?? 90);
    await this.emit(flags, usage, async () => (await import("../../views/runtimes.ts")).runtimeUsageTable(usage));
  }
}

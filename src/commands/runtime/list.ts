import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag } from "../../cli/flags.ts";

export default class RuntimeList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the runtimes: agent programs on the machines of this workspace";
  static override readonly examples = ["multica runtime list"];
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(RuntimeList);
    const session = this.session(flags);
    session.workspaceId();
    const runtimes = (await session.api.runtimes()) ?? [];
    await this.emit(flags, runtimes, async () => (await import("../../views/runtimes.ts")).runtimeTable(runtimes));
  }
}

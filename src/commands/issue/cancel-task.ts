import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag, textFlag } from "../../cli/flags.ts";
import { resolveTask } from "../../cli/resolve.ts";

export default class IssueCancelTask extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Cancel a run; its agent is ended";
  static override readonly examples = ["multica issue cancel-task 3f2a --issue MUL-12"];
  static override readonly args = { run: argument("run UUID, or its first digits with --issue") };
  static override readonly flags = {
    issue: textFlag("the issue that a short run id belongs to", { helpValue: "<issue>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueCancelTask);
    const session = this.session(flags);
    const id = await resolveTask(session, args.run, flags.issue);
    const task = await session.api.cancelTask(id);
    await this.emit(flags, task, () => `${task?.id ?? id} ${task?.status ?? "cancelled"}\n`);
  }
}

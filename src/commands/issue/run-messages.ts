import { ApiCommand } from "../../cli/api-command.ts";
import { argument, countFlag, outputFlag, textFlag } from "../../cli/flags.ts";
import { resolveTask } from "../../cli/resolve.ts";

export default class IssueRunMessages extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show what an agent said and did in a run";
  static override readonly examples = ["multica issue run-messages 3f2a --issue MUL-12 --output table"];
  static override readonly args = { run: argument("run UUID, or its first digits with --issue") };
  static override readonly flags = {
    since: countFlag("only messages after this number", { default: 0 }),
    issue: textFlag("the issue that a short run id belongs to", { helpValue: "<issue>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueRunMessages);
    const session = this.session(flags);
    const task = await resolveTask(session, args.run, flags.issue);
    const messages = (await session.api.taskMessages(task, flags.since)) ?? [];
    await this.emit(flags, messages, async () => (await import("../../views/issues.ts")).messageTable(messages));
  }
}

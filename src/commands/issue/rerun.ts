import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { resolveIssue } from "../../cli/resolve.ts";

export default class IssueRerun extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Start a new run of an issue with its agent";
  static override readonly examples = ["multica issue rerun MUL-12"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueRerun);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, args.issue);
    const task = await session.api.rerun(id);
    await this.emit(flags, task, () => `task ${task.id}, agent ${task.agent_id}\n`);
  }
}

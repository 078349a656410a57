import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { createAgentExtrasApi } from "../../lib/api/user-api-skill.ts";

export default class AgentTasks extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the runs of an agent, newest first";
  static override readonly examples = ["multica agent tasks 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { agent: argument("agent UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentTasks);
    const tasks = await createAgentExtrasApi(this.session(flags).http).tasks(args.agent);
    await this.emit(flags, tasks, async () => (await import("../../views/skills.ts")).agentTaskTable(tasks));
  }
}

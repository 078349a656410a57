import { withoutMcpConfig } from "../../cli/agent-shown.ts";
import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";

export default class AgentArchive extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Archive an agent: it takes no more work";
  static override readonly examples = ["multica agent archive 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { agent: argument("agent UUID") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentArchive);
    const agent = await this.session(flags).api.archiveAgent(args.agent);
    await this.emit(flags, withoutMcpConfig(agent), () => `${agent.name}  ${agent.id}\n`);
  }
}

import { withoutMcpConfig } from "../../cli/agent-shown.ts";
import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { createAgentExtrasApi } from "../../lib/api/user-api-skill.ts";

export default class AgentRestore extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Bring an archived agent back";
  static override readonly examples = ["multica agent restore 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { agent: argument("agent UUID") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentRestore);
    const agent = await createAgentExtrasApi(this.session(flags).http).restore(args.agent);
    await this.emit(flags, withoutMcpConfig(agent), () => `${agent.name}  ${agent.id}\n`);
  }
}

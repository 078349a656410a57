import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";

export default class AgentGet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show an agent";
  static override readonly examples = ["multica agent get 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { agent: argument("agent UUID") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentGet);
    const agent = await this.session(flags).api.agent(args.agent);
    await this.emit(flags, agent, async () => (await import("../../views/runtimes.ts")).agentDetails(agent));
  }
}

import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { createAgentExtrasApi } from "../../../lib/api/user-api-skill.ts";

export default class AgentEnvGet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show the environment variables of an agent's runs; not for agents";
  static override readonly examples = ["multica agent env get 0190d3c2-8d2a-7000-8000-000000000000 --output table"];
  static override readonly args = { agent: argument("agent UUID") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentEnvGet);
    const answer = await createAgentExtrasApi(this.session(flags).http).env(args.agent);
    await this.emit(flags, answer, async () => (await import("../../../views/skills.ts")).envTable(answer.custom_env ?? {}));
  }
}

import { ApiCommand } from "../../../cli/api-command.ts";
import { customEnvFlags, customEnvironment } from "../../../cli/agent-secrets.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { usage } from "../../../cli/resolve.ts";
import { createAgentExtrasApi } from "../../../lib/api/user-api-skill.ts";

export default class AgentEnvSet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Replace the environment variables of an agent's runs; the value **** keeps a stored one";
  static override readonly examples = ["multica agent env set 0190d3c2-8d2a-7000-8000-000000000000 --custom-env-file env.json"];
  static override readonly args = { agent: argument("agent UUID") };
  static override readonly flags = { ...customEnvFlags, output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentEnvSet);
    const env = await customEnvironment(flags, this.cwd);
    if (env === undefined) throw usage("give the variables with --custom-env, --custom-env-stdin or --custom-env-file", "{} removes all.");
    const answer = await createAgentExtrasApi(this.session(flags).http).setEnv(args.agent, env);
    await this.emit(flags, answer, () => `${Object.keys(answer.custom_env ?? {}).length} variables\n`);
  }
}

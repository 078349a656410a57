import { ApiCommand } from "../../cli/api-command.ts";
import { agentFieldFlags, agentFields } from "../../cli/agent-fields.ts";
import { agentSecrets, customEnvFlags, mcpConfigFlags } from "../../cli/agent-secrets.ts";
import { withoutMcpConfig } from "../../cli/agent-shown.ts";
import { notBlank } from "../../cli/families.ts";
import { outputFlag, requiredTextFlag } from "../../cli/flags.ts";

export default class AgentCreate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Create an agent on a runtime";
  static override readonly examples = ["multica agent create --name Dev --runtime-id 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly flags = {
    name: requiredTextFlag("name", { helpValue: "<name>" }),
    "runtime-id": requiredTextFlag("runtime it runs on (multica runtime list)", { helpValue: "<uuid>" }),
    ...agentFieldFlags,
    ...customEnvFlags,
    ...mcpConfigFlags,
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AgentCreate);
    const body = {
      name: notBlank("--name", flags.name),
      runtime_id: notBlank("--runtime-id", flags["runtime-id"]),
      ...agentFields(flags),
      ...(await agentSecrets(flags, this.cwd)),
    };
    const session = this.session(flags);
    session.workspaceId();
    const agent = await session.api.createAgent(body);
    await this.emit(flags, withoutMcpConfig(agent), () => `${agent.name}  ${agent.id}\n`);
  }
}

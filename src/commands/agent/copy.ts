import { ApiCommand } from "../../cli/api-command.ts";
import { copiedAgent } from "../../cli/agent-copy.ts";
import { agentFieldFlags, agentFields } from "../../cli/agent-fields.ts";
import { agentSecrets, customEnvFlags, mcpConfigFlags } from "../../cli/agent-secrets.ts";
import { withoutMcpConfig } from "../../cli/agent-shown.ts";
import { notBlank } from "../../cli/families.ts";
import { argument, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";

export default class AgentCopy extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Create an agent after another one; its environment, MCP servers and runtime settings stay behind";
  static override readonly examples = [
    "multica agent copy 0190d3c2-8d2a-7000-8000-000000000000 --name Dev2",
    'multica agent copy 0190d3c2-8d2a-7000-8000-000000000000 --runtime-id 0190d3c2-8d2a-7000-8000-000000000001 --model ""',
  ];
  static override readonly args = { agent: argument("UUID of the agent to copy") };
  static override readonly flags = {
    name: textFlag("name; the source's with (copy) unless given", { helpValue: "<name>" }),
    "runtime-id": textFlag("runtime it runs on; the source's unless given, another one needs --model", { helpValue: "<uuid>" }),
    "no-skills": switchFlag("leave the source's skills"),
    ...agentFieldFlags,
    ...customEnvFlags,
    ...mcpConfigFlags,
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentCopy);
    const choices = {
      name: flags.name === undefined ? undefined : notBlank("--name", flags.name),
      runtimeId: flags["runtime-id"] === undefined ? undefined : notBlank("--runtime-id", flags["runtime-id"]),
      fields: { ...agentFields(flags), ...(await agentSecrets(flags, this.cwd)) },
      skills: !flags["no-skills"],
    };
    const { api } = this.session(flags);
    const agent = await api.createAgent(copiedAgent(await api.agent(args.agent), choices));
    await this.emit(flags, withoutMcpConfig(agent), () => `${agent.name}  ${agent.id}\n`);
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { agentFieldFlags, agentFields } from "../../cli/agent-fields.ts";
import { mcpConfigField, mcpConfigFlags } from "../../cli/agent-secrets.ts";
import { withoutMcpConfig } from "../../cli/agent-shown.ts";
import { argument, outputFlag, textFlag } from "../../cli/flags.ts";
import { usage } from "../../cli/resolve.ts";

export default class AgentUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change fields of an agent; only the given ones are sent";
  static override readonly examples = ['multica agent update 0190d3c2-8d2a-7000-8000-000000000000 --instructions "Write tests first."'];
  static override readonly args = { agent: argument("agent UUID") };
  static override readonly flags = {
    name: textFlag("name", { helpValue: "<name>" }),
    "runtime-id": textFlag("runtime it runs on", { helpValue: "<uuid>" }),
    ...agentFieldFlags,
    ...mcpConfigFlags,
    status: textFlag("status", { helpValue: "<status>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentUpdate);
    const body = {
      ...(flags.name === undefined ? {} : { name: flags.name }),
      ...(flags["runtime-id"] === undefined ? {} : { runtime_id: flags["runtime-id"] }),
      ...(flags.status === undefined ? {} : { status: flags.status }),
      ...agentFields(flags),
      ...(await mcpConfigField(flags, this.cwd)),
    };
    if (Object.keys(body).length === 0) throw usage("nothing to change", "multica agent env set changes the environment.");
    const agent = await this.session(flags).api.updateAgent(args.agent, body);
    await this.emit(flags, withoutMcpConfig(agent), () => `${agent.name}  ${agent.id}\n`);
  }
}

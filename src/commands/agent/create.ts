import { ApiCommand } from "../../cli/api-command.ts";
import { agentFieldFlags, agentFields, customEnvironment } from "../../cli/agent-fields.ts";
import { notBlank } from "../../cli/families.ts";
import { outputFlag, requiredTextFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { usage } from "../../cli/resolve.ts";
import { readStdin } from "../../cli/text-input.ts";

export default class AgentCreate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Create an agent on a runtime";
  static override readonly examples = ["multica agent create --name Dev --runtime-id 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly flags = {
    name: requiredTextFlag("name", { helpValue: "<name>" }),
    "runtime-id": requiredTextFlag("runtime it runs on (multica runtime list)", { helpValue: "<uuid>" }),
    ...agentFieldFlags,
    "custom-env": textFlag("environment of its runs, as a JSON object; prefer --custom-env-stdin", { helpValue: "<json>" }),
    "custom-env-stdin": switchFlag("read the environment from standard input"),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AgentCreate);
    if (flags["custom-env"] !== undefined && flags["custom-env-stdin"]) throw usage("--custom-env and --custom-env-stdin exclude each other");
    const body = {
      name: notBlank("--name", flags.name),
      runtime_id: notBlank("--runtime-id", flags["runtime-id"]),
      ...agentFields(flags),
    };
    const environment = customEnvironment(flags["custom-env-stdin"] ? await readStdin() : flags["custom-env"]);
    const session = this.session(flags);
    session.workspaceId();
    const agent = await session.api.createAgent({ ...body, ...(environment === undefined ? {} : { custom_env: environment }) });
    await this.emit(flags, agent, () => `${agent.name}  ${agent.id}\n`);
  }
}

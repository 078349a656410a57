import { withoutMcpConfig } from "../../cli/agent-shown.ts";
import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag, switchFlag } from "../../cli/flags.ts";

export default class AgentList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the workspace's agents";
  static override readonly examples = ["multica agent list", "multica agent list --include-archived --output json"];
  static override readonly flags = { "include-archived": switchFlag("also archived ones"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(AgentList);
    const session = this.session(flags);
    const query = { workspace_id: session.workspaceId(), ...(flags["include-archived"] ? { include_archived: true } : {}) };
    const agents = (await session.api.agents(query)) ?? [];
    await this.emit(flags, agents.map(withoutMcpConfig), async () => (await import("../../views/runtimes.ts")).agentTable(agents));
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { readAvatar } from "../../cli/avatar.ts";
import { argument, outputFlag, requiredTextFlag } from "../../cli/flags.ts";
import { withoutWorkspace } from "../../cli/session.ts";
import { createFileApi } from "../../lib/api/files.ts";

export default class AgentAvatar extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Give an agent a picture";
  static override readonly examples = ["multica agent avatar 0190d3c2-8d2a-7000-8000-000000000000 --file dev.png"];
  static override readonly args = { agent: argument("agent UUID") };
  static override readonly flags = { file: requiredTextFlag("png, jpg, gif or webp of at most 5 MiB", { helpValue: "<path>" }), output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentAvatar);
    const picture = await readAvatar(flags.file, this.cwd);
    const session = this.session(flags);
    const agent = await session.api.agent(args.agent);
    // A picture belongs to no workspace: everyone who sees the agent may fetch it.
    const { id, url } = await createFileApi(withoutWorkspace(session)).upload(picture, {});
    await session.api.updateAgent(agent.id, { avatar_url: url });
    await this.emit(flags, { id, agent_id: agent.id, avatar_url: url }, () => `${agent.name}  ${url}\n`);
  }
}

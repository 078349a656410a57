import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag } from "../../cli/flags.ts";
import { reposOf } from "../../cli/repo-list.ts";

export default class RepoList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the workspace's repositories";
  static override readonly examples = ["multica repo list"];
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(RepoList);
    const session = this.session(flags);
    const repos = reposOf(await session.api.workspace(session.workspaceId()));
    await this.emit(flags, repos, async () => (await import("../../views/repos.ts")).repoTable(repos));
    if (repos.length === 0) this.note("This workspace has no repositories; multica repo add <url> adds one.");
  }
}

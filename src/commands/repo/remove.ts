import { ApiCommand } from "../../cli/api-command.ts";
import { listFlag, optionalArgument, outputFlag } from "../../cli/flags.ts";
import { removeRepos, repoUrls } from "../../cli/repo-list.ts";

export default class RepoRemove extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Take repositories off the workspace's list";
  static override readonly hiddenAliases = ["repo:rm"];
  static override readonly examples = ["multica repo remove https://github.com/acme/app.git"];
  static override readonly strict = false;
  static override readonly args = { url: optionalArgument("repository URL; several are allowed") };
  static override readonly flags = { url: listFlag("repository URL", "<url>"), output: outputFlag("json") };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(RepoRemove);
    const result = await removeRepos(this.session(flags), repoUrls(flags.url, argv.map(String)));
    await this.emit(flags, result, async () => (await import("../../views/repos.ts")).repoRemovalTable(result));
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { listFlag, optionalArgument, outputFlag, textFlag } from "../../cli/flags.ts";
import { addRepos, repoUrls } from "../../cli/repo-list.ts";

export default class RepoAdd extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Add repositories to the workspace, so that its agents may check them out";
  static override readonly examples = ["multica repo add https://github.com/acme/app.git", "multica repo add git@host:team/repo.git"];
  static override readonly strict = false;
  static override readonly args = { url: optionalArgument("repository URL; several are allowed") };
  static override readonly flags = {
    url: listFlag("repository URL", "<url>"),
    description: textFlag("what it is, with one URL", { helpValue: "<text>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(RepoAdd);
    const urls = repoUrls(flags.url, argv.map(String));
    const result = await addRepos(this.session(flags), urls, flags.description);
    await this.emit(flags, result, async () => (await import("../../views/repos.ts")).repoChangeTable(result));
    if (result.added.length + result.updated.length === 0) this.note("Nothing to change.");
  }
}

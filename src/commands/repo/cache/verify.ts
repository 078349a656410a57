import { BaseCommand } from "../../../cli/base-command.ts";
import { rootFlags } from "../../../cli/execenv.ts";
import { optionalArgument, outputFlag } from "../../../cli/flags.ts";
import { chosenCaches, openKeeper, reportExit } from "../../../cli/repo-keeper.ts";
import type { CacheReport } from "../../../lib/repos/index.ts";

export default class RepoCacheVerify extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Check cached repositories for damage";
  static override readonly description = "All of them without a name. Runs git fsck and looks for lock files that the dead left; changes nothing. Exit 8 when something was found.";
  static override readonly examples = ["multica repo cache verify", "multica repo cache verify app --json"];
  static override readonly strict = false;
  static override readonly args = { repo: optionalArgument("repository URLs, or names as multica repo cache list shows them") };
  static override readonly flags = { ...rootFlags, output: outputFlag("table") };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(RepoCacheVerify);
    const keeper = openKeeper({ context: this.context(flags), env: this.env, home: this.home, root: flags.root, long: true });
    const reports: CacheReport[] = [];
    for (const cache of await chosenCaches(keeper, argv.map(String), flags["workspace-id"])) reports.push(await keeper.verify(cache));
    await this.emit(flags, reports, async () => (await import("../../../views/repo-keeper.ts")).cacheReportTable(reports));
    const exit = reportExit(reports);
    if (exit !== 0) this.endWith(exit);
  }
}

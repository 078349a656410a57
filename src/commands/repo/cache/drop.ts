import { BaseCommand } from "../../../cli/base-command.ts";
import { confirm } from "../../../cli/confirm.ts";
import { rootFlags } from "../../../cli/execenv.ts";
import { optionalArgument, outputFlag, switchFlag } from "../../../cli/flags.ts";
import { chosenCaches, openKeeper, reportExit, requireWords } from "../../../cli/repo-keeper.ts";
import type { CacheReport } from "../../../lib/repos/index.ts";

export default class RepoCacheDrop extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Delete cached repositories; the next checkout clones them anew";
  static override readonly description = "Refuses (7) one that checkouts use, and without --force one that holds work on no remote; with it that work is kept in a file for 30 days.";
  static override readonly examples = ["multica repo cache drop https://github.com/acme/app.git --yes"];
  static override readonly strict = false;
  static override readonly args = { repo: optionalArgument("repository URLs, or names as multica repo cache list shows them") };
  static override readonly flags = {
    ...rootFlags,
    force: switchFlag("also with rescued work and unpushed commits: they go to a git bundle beside it"),
    yes: switchFlag("do not ask"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(RepoCacheDrop);
    requireWords(argv.map(String), "repository");
    const keeper = openKeeper({ context: this.context(flags), env: this.env, home: this.home, root: flags.root });
    const caches = await chosenCaches(keeper, argv.map(String), flags["workspace-id"]);
    if (flags.yes !== true && !(await confirm(`Delete ${caches.map((cache) => cache.path).join(", ")}?`, "--yes"))) return;
    const reports: CacheReport[] = [];
    for (const cache of caches) reports.push(await keeper.drop(cache, flags.force === true));
    await this.emit(flags, reports, async () => (await import("../../../views/repo-keeper.ts")).cacheReportTable(reports));
    const exit = reportExit(reports);
    if (exit !== 0) this.endWith(exit);
  }
}

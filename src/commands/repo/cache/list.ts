import { BaseCommand } from "../../../cli/base-command.ts";
import { rootFlags } from "../../../cli/execenv.ts";
import { outputFlag } from "../../../cli/flags.ts";
import { openKeeper } from "../../../cli/repo-keeper.ts";

export default class RepoCacheList extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "List the bare clones on this machine that tasks check out from";
  static override readonly examples = ["multica repo cache list", "multica repo cache list --json"];
  static override readonly flags = { ...rootFlags, output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(RepoCacheList);
    const keeper = openKeeper({ context: this.context(flags), env: this.env, home: this.home, root: flags.root });
    const caches = await keeper.caches(undefined, flags["workspace-id"]);
    await this.emit(flags, caches, async () => (await import("../../../views/repo-keeper.ts")).cacheTable(caches));
    if (caches.length === 0) this.note("Nothing is cached yet.");
  }
}

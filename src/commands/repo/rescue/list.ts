import { BaseCommand } from "../../../cli/base-command.ts";
import { rootFlags } from "../../../cli/execenv.ts";
import { outputFlag } from "../../../cli/flags.ts";
import { openKeeper } from "../../../cli/repo-keeper.ts";

export default class RepoRescueList extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "List work that was saved before a checkout was reset or a branch went";
  static override readonly description = "Each entry is kept for 30 days. The caches of all workspaces are looked through, or those of --workspace-id.";
  static override readonly examples = ["multica repo rescue list", "multica repo rescue list --json"];
  static override readonly flags = { ...rootFlags, output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(RepoRescueList);
    const keeper = openKeeper({ context: this.context(flags), env: this.env, home: this.home, root: flags.root });
    const rescues = await keeper.rescues(flags["workspace-id"]);
    await this.emit(flags, rescues, async () => (await import("../../../views/repo-keeper.ts")).rescueTable(rescues));
    if (rescues.length === 0) this.note("No work is kept.");
  }
}

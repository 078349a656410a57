import { BaseCommand } from "../../../cli/base-command.ts";
import { rootFlags } from "../../../cli/execenv.ts";
import { argument, outputFlag, switchFlag } from "../../../cli/flags.ts";
import { openKeeper } from "../../../cli/repo-keeper.ts";

export default class RepoRescueShow extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Show saved work as a patch";
  static override readonly examples = ["multica repo rescue show 3f2a9c10b7de", "multica repo rescue show 3f2a9c10b7de --stat"];
  static override readonly args = { id: argument("id as multica repo rescue list shows it, or its ref") };
  static override readonly flags = { ...rootFlags, stat: switchFlag("only which files, not what in them"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RepoRescueShow);
    const keeper = openKeeper({ context: this.context(flags), env: this.env, home: this.home, root: flags.root });
    const { findRescue } = await import("../../../lib/repos/index.ts");
    const work = findRescue(await keeper.rescues(flags["workspace-id"]), args.id);
    const patch = await keeper.show(work, { stat: flags.stat === true });
    await this.emit(flags, { ...work, patch }, async () => (await import("../../../views/repo-keeper.ts")).rescueText(work, patch));
  }
}

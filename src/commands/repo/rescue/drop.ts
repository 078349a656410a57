import { BaseCommand } from "../../../cli/base-command.ts";
import { confirm } from "../../../cli/confirm.ts";
import { rootFlags } from "../../../cli/execenv.ts";
import { optionalArgument, outputFlag, switchFlag } from "../../../cli/flags.ts";
import { openKeeper, requireWords } from "../../../cli/repo-keeper.ts";

export default class RepoRescueDrop extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Give saved work up before its 30 days are over";
  static override readonly examples = ["multica repo rescue drop 3f2a9c10b7de --yes"];
  static override readonly strict = false;
  static override readonly args = { id: optionalArgument("ids as multica repo rescue list shows them") };
  static override readonly flags = { ...rootFlags, yes: switchFlag("do not ask"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(RepoRescueDrop);
    const ids = argv.map(String);
    requireWords(ids, "id");
    const keeper = openKeeper({ context: this.context(flags), env: this.env, home: this.home, root: flags.root });
    const { findRescue } = await import("../../../lib/repos/index.ts");
    const present = await keeper.rescues(flags["workspace-id"]);
    const chosen = ids.map((id) => findRescue(present, id));
    if (flags.yes !== true && !(await confirm(`Drop ${chosen.map((work) => work.ref || work.id).join(", ")} for good?`, "--yes"))) return;
    await keeper.forget(chosen);
    await this.emit(flags, { dropped: chosen }, async () => (await import("../../../views/repo-keeper.ts")).rescueTable(chosen));
    this.note(`${chosen.length} dropped.`);
  }
}

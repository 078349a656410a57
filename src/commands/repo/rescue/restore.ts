import { resolve } from "node:path";
import { BaseCommand } from "../../../cli/base-command.ts";
import { rootFlags } from "../../../cli/execenv.ts";
import { argument, optionalArgument, outputFlag, textFlag } from "../../../cli/flags.ts";
import { openKeeper } from "../../../cli/repo-keeper.ts";
import { usage } from "../../../cli/resolve.ts";

export default class RepoRescueRestore extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Write saved work to a directory, or make a branch of it";
  static override readonly description = "The saved entry stays. A directory gets every file as it was; a branch is made in the cache, where every linked checkout sees it. " +
    "Of the kind \"directory\" (a repository that no cache is kept of) the directory gets a copy, its history included.";
  static override readonly examples = ["multica repo rescue restore 3f2a9c10b7de ./found", "multica repo rescue restore 3f2a9c10b7de --branch found"];
  static override readonly args = { id: argument("id as multica repo rescue list shows it, or its ref"), directory: optionalArgument("new or empty directory") };
  static override readonly flags = { ...rootFlags, branch: textFlag("name of the branch to make", { helpValue: "<name>" }), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RepoRescueRestore);
    if ((args.directory === undefined) === (flags.branch === undefined)) throw usage("name a directory or give --branch");
    const keeper = openKeeper({ context: this.context(flags), env: this.env, home: this.home, root: flags.root });
    const { findRescue } = await import("../../../lib/repos/index.ts");
    const work = findRescue(await keeper.rescues(flags["workspace-id"]), args.id);
    const target = flags.branch === undefined ? { directory: resolve(this.cwd, args.directory ?? "") } : { branch: flags.branch };
    await keeper.restore(work, target);
    await this.emit(flags, { id: work.id, ref: work.ref, commit: work.commit, ...target }, () => `${"branch" in target ? target.branch : target.directory}\n`);
    this.note(`Restored ${work.ref || work.id}; it is still kept until ${work.expires_at}.`);
  }
}

import { BaseCommand } from "../../cli/base-command.ts";
import { confirm } from "../../cli/confirm.ts";
import { threadFlags } from "../../cli/exec/flags.ts";
import { openExec } from "../../cli/exec/port.ts";
import { threadRef } from "../../cli/exec/target.ts";
import { optionalArgument, outputFlag, switchFlag } from "../../cli/flags.ts";
import { usage } from "../../cli/resolve.ts";

export default class ExecClean extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "End and forget the parked commands of a thread, or all of them";
  static override readonly examples = ["multica exec clean", "multica exec clean --all --yes", "multica exec clean op:default --finished"];
  static override readonly args = { thread: optionalArgument("thread, or a task's id") };
  static override readonly flags = {
    ...threadFlags,
    all: switchFlag("of all threads"),
    "include-attached": switchFlag("attached ones too"),
    finished: switchFlag("forget those that have ended, with their logs"),
    yes: switchFlag("do not ask"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExecClean);
    const ref = threadRef({ ...flags, thread: args.thread });
    if (flags.all && Object.keys(ref).length > 0) throw usage("a thread and --all exclude each other");
    const place = await openExec(this.context(flags), flags.profile);
    const wide = flags.all || flags["include-attached"];
    if (wide && !place.inTask && !flags.yes) {
      const what = `${flags["include-attached"] ? "all" : "the parked"} commands of ${flags.all ? "every thread" : "this thread"}`;
      if (!(await confirm(`End ${what}?`, "--yes"))) return;
    }
    const summary = await place.port.clean({
      ...(flags.all ? { all: true } : ref),
      ...(flags["include-attached"] ? { include_attached: true } : {}),
      ...(flags.finished ? { finished: true } : {}),
    });
    const { cleanLine } = await import("../../views/exec.ts");
    await this.emit(flags, summary, () => `${cleanLine(summary)}\n`);
  }
}

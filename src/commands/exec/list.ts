import { BaseCommand } from "../../cli/base-command.ts";
import { threadFlags } from "../../cli/exec/flags.ts";
import { openExec } from "../../cli/exec/port.ts";
import { threadRef } from "../../cli/exec/target.ts";
import { optionalArgument, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";

export default class ExecList extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "List commands that run under the daemon";
  static override readonly examples = ["multica exec list", "multica exec list --all --json", "multica exec list op:default --state detached"];
  static override readonly args = { thread: optionalArgument("only of this thread; a task's id will do") };
  static override readonly flags = {
    ...threadFlags,
    state: textFlag("only in this state", { options: ["starting", "attached", "detached", "exited", "lost", "failed"] }),
    all: switchFlag("finished ones too"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExecList);
    const place = await openExec(this.context(flags), flags.profile);
    const ref = threadRef({ ...flags, thread: args.thread });
    const processes = await place.port.list({ ...ref, state: flags.state, all: flags.all ? "true" : undefined });
    const { processTable } = await import("../../views/exec.ts");
    const { systemClock } = await import("../../lib/platform/index.ts");
    await this.emit(flags, { processes }, () => processTable(processes, systemClock.now()));
  }
}

import { BaseCommand } from "../cli/base-command.ts";
import { switchFlag, textFlag } from "../cli/flags.ts";
import { holdInterrupts } from "../cli/interrupt.ts";
import { isMulticaError } from "../lib/core/index.ts";

export default class Quickstart extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Watch the whole way once: an issue, a real agent process, a commit; needs no key and no network";
  static override readonly description = "Everything happens in a scratch home that is removed at the end, and everything that was started is stopped.";
  static override readonly examples = ["multica quickstart", "multica quickstart --json", "multica quickstart --agent codex --repo ."];
  static override readonly flags = {
    keep: switchFlag("keep the scratch home and say where it is"),
    repo: textFlag("work on this repository instead of a small one made for the purpose", { helpValue: "<url|path>" }),
    agent: textFlag("use this agent of your machine instead of the example agent, such as codex", { helpValue: "<provider>" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Quickstart);
    const signal = holdInterrupts();
    const { quickstart } = await import("../lib/setup/index.ts");
    const { openStages, quickstartText, QUICKSTART_STAGES } = await import("../views/setup.ts");
    const { logLine } = await import("../views/logs.ts");
    const { systemClock } = await import("../lib/platform/index.ts");
    const stages = openStages({ json: this.wantsJson(flags), names: QUICKSTART_STAGES });
    const work = stages.during(
      quickstart({
        env: this.env,
        cwd: this.cwd,
        keep: flags.keep,
        clock: systemClock,
        signal,
        onEvent: stages.onEvent,
        ...(flags.repo === undefined ? {} : { repo: flags.repo }),
        ...(flags.agent === undefined ? {} : { agent: flags.agent }),
      }),
    );
    const report = await work.catch((error: unknown) => {
      const log = isMulticaError(error, "quickstart_failed") ? error.details["log"] : undefined;
      if (typeof log === "string" && log !== "") this.note(`The daemon's last words:\n${log.split("\n").map(logLine).join("\n")}\n`);
      throw error;
    });
    await this.emit(flags, report, () => quickstartText(report));
  }
}

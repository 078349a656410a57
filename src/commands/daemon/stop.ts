import { BaseCommand } from "../../cli/base-command.ts";
import { daemonTarget, requireKnownProfile } from "../../cli/daemon-target.ts";
import { countFlag, textFlag } from "../../cli/flags.ts";

export default class DaemonStop extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Stop the daemon; its running tasks are handed back, kept commands run on";
  static override readonly examples = ["multica daemon stop", "multica --profile work daemon stop", "multica daemon stop --exec terminate"];
  static override readonly flags = {
    port: countFlag("local port when it is not the profile's", { max: 65_535 }),
    exec: textFlag("what becomes of commands that outlive their caller", { options: ["keep", "terminate"] }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(DaemonStop);
    const context = this.context(flags);
    await requireKnownProfile(context, { env: this.env, home: this.home });
    const { stopDaemon } = await import("../../lib/daemon/index.ts");
    const { systemClock } = await import("../../lib/platform/index.ts");
    const { stayingLine, stopLine } = await import("../../views/daemon.ts");
    const { warnings, ...result } = await stopDaemon({ ...daemonTarget({ context, port: flags.port }), clock: systemClock, exec: flags.exec === "terminate" ? "terminate" : "keep" });
    for (const warning of warnings) this.note(`Warning: ${warning}`);
    this.note(stopLine(result));
    if (result.exec_staying > 0) this.note(stayingLine(result.exec_staying));
    await this.emit(flags, result, () => "");
  }
}

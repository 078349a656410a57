import { BaseCommand } from "../../cli/base-command.ts";
import { daemonFlags } from "../../cli/daemon-flags.ts";
import { requireKnownProfile } from "../../cli/daemon-target.ts";
import { usage } from "../../cli/resolve.ts";

export default class DaemonRestart extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Stop the daemon and start it again; it keeps running when the server does not accept its token";
  static override readonly examples = ["multica daemon restart"];
  static override readonly flags = daemonFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(DaemonRestart);
    if (flags.foreground) throw usage("restart works in the background only", "Use daemon stop, then daemon start --foreground.");
    const context = this.context(flags);
    await requireKnownProfile(context, { env: this.env, home: this.home });
    const { startOptions } = await import("../../cli/daemon-setup.ts");
    const { restartDaemon } = await import("../../lib/daemon/index.ts");
    const { startLine } = await import("../../views/daemon.ts");
    const { warnings, ...result } = await restartDaemon(startOptions({ context, env: this.env, home: this.home, flags }));
    for (const warning of warnings) this.note(`Warning: ${warning}`);
    this.note(startLine(result));
    await this.emit(flags, result, () => "");
  }
}

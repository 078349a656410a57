import { BaseCommand } from "../../cli/base-command.ts";
import { daemonFlags } from "../../cli/daemon-flags.ts";
import type { DaemonCommandInput } from "../../cli/daemon-setup.ts";
import { leaveInterrupts } from "../../cli/interrupt.ts";

export default class DaemonStart extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Start the daemon in the background and wait until it can work";
  static override readonly examples = ["multica daemon start", "multica daemon start --ensure --json", "multica --profile work daemon start --foreground"];
  static override readonly flags = daemonFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(DaemonStart);
    const input = { context: this.context(flags), env: this.env, home: this.home, flags };
    if (flags.foreground) return await this.foreground(input);
    const { startOptions } = await import("../../cli/daemon-setup.ts");
    const { startDaemon } = await import("../../lib/daemon/index.ts");
    const { startLine } = await import("../../views/daemon.ts");
    const { warnings, ...result } = await startDaemon(startOptions(input));
    for (const warning of warnings) this.note(`Warning: ${warning}`);
    this.note(startLine(result));
    await this.emit(flags, result, () => "");
  }

  private async foreground(input: DaemonCommandInput): Promise<void> {
    const { daemonConfig } = await import("../../cli/daemon-setup.ts");
    const { versionInfo } = await import("../../cli/version.ts");
    const { runForeground } = await import("../../lib/daemon/foreground.ts");
    const { isTerminal } = await import("../../lib/platform/index.ts");
    const { forwardedFlags } = await import("../../lib/daemon/index.ts");
    const { toDaemonFlags } = await import("../../cli/daemon-flags.ts");
    const onTerminal = isTerminal("stderr");
    const successorFlags = forwardedFlags(toDaemonFlags(input.flags), { profile: input.context.profile, noState: input.flags["no-state"] === true });
    leaveInterrupts();
    await runForeground({
      config: daemonConfig(input),
      env: this.env,
      home: this.home,
      version: versionInfo(this.config.root).version,
      noState: input.flags["no-state"] === true,
      logToStderr: onTerminal,
      // On a terminal a successor would leave it behind.
      ...(onTerminal ? {} : { successorFlags }),
    });
  }
}

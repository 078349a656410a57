import { BaseCommand } from "../../cli/base-command.ts";
import { daemonTarget, requireKnownProfile } from "../../cli/daemon-target.ts";
import { taskDaemonPort } from "../../cli/task-port.ts";
import { countFlag, outputFlag, switchFlag } from "../../cli/flags.ts";

export default class DaemonStatus extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Show whether the daemon runs, and what it has found";
  static override readonly examples = ["multica daemon status", "multica daemon status --watch", "multica daemon status --output json"];
  static override readonly flags = {
    port: countFlag("local port when it is not the profile's", { max: 65_535 }),
    watch: switchFlag("show it again every second until Ctrl-C; as JSON a line for each change"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(DaemonStatus);
    const { statusText } = await import("../../views/daemon.ts");
    const context = this.context(flags);
    if (context.kind === "task") {
      const { createLocalPortClient } = await import("../../lib/api/local-port.ts");
      const port = taskDaemonPort(context, flags.profile);
      const health = (await createLocalPortClient({ port }).health()) ?? { status: "stopped" as const };
      return await this.emit(flags, health, () => statusText(health, ""));
    }
    await this.knownProfile(flags, () => requireKnownProfile(context, { env: this.env, home: this.home }));
    const { daemonStatus } = await import("../../lib/daemon/index.ts");
    const target = daemonTarget({ context, port: flags.port });
    if (flags.watch === true) {
      const { watchDocument } = await import("../../cli/daemon-watch.ts");
      return await watchDocument({ look: () => daemonStatus(target), text: (one) => statusText(one, context.profile), json: this.wantsJson(flags) });
    }
    const status = await daemonStatus(target);
    await this.emit(flags, status, () => statusText(status, context.profile));
  }

  /** With JSON an unknown profile is a document on stdout and exit 4, with nothing on stderr (cli.md 5.4). */
  private async knownProfile(flags: { json?: boolean; output?: string | undefined }, check: () => Promise<void>): Promise<void> {
    try {
      await check();
    } catch (error) {
      if (!this.wantsJson(flags)) throw error;
      const { details, exit } = error as { details?: Record<string, unknown>; exit?: number };
      if (details?.["profile"] === undefined) throw error;
      await this.emit(flags, { status: "unknown_profile", ...details }, () => "");
      this.endWith(exit ?? 4);
    }
  }
}

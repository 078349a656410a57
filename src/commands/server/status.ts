import { BaseCommand } from "../../cli/base-command.ts";
import { outputFlag } from "../../cli/flags.ts";
import { dataDirFlag, serverDataDir } from "../../cli/server-options.ts";

export default class ServerStatus extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Show whether the embedded server runs, and where";
  static override readonly examples = ["multica server status", "multica server status --json"];
  static override readonly flags = { "data-dir": dataDirFlag, output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(ServerStatus);
    const { systemClock } = await import("../../lib/platform/index.ts");
    const { serverStatus } = await import("../../lib/server/index.ts");
    const { serverText } = await import("../../views/server.ts");
    const dataDir = serverDataDir(this.context(flags), flags["data-dir"], this.cwd);
    const status = await serverStatus({ dataDir, clock: systemClock });
    await this.emit(flags, { status: status.state, ...status }, () => serverText(status));
  }
}

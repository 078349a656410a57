import { BaseCommand } from "../../cli/base-command.ts";
import { dataDirFlag, serverDataDir } from "../../cli/server-options.ts";

export default class ServerStop extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Stop the embedded server";
  static override readonly examples = ["multica server stop"];
  static override readonly flags = { "data-dir": dataDirFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(ServerStop);
    const { systemClock } = await import("../../lib/platform/index.ts");
    const { stopServer } = await import("../../lib/server/index.ts");
    const dataDir = serverDataDir(this.context(flags), flags["data-dir"], this.cwd);
    const result = await stopServer({ dataDir, clock: systemClock });
    await this.emit(flags, { ...result, data_dir: dataDir }, () => "");
    this.note(!result.stopped ? "The server is not running." : result.killed ? "The server had to be killed." : "The server has stopped.");
  }
}

import { BaseCommand } from "../../cli/base-command.ts";
import { countFlag, switchFlag } from "../../cli/flags.ts";
import { holdInterrupts } from "../../cli/interrupt.ts";
import { missing } from "../../cli/resolve.ts";
import { dataDirFlag, serverDataDir } from "../../cli/server-options.ts";

export default class ServerLogs extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Show the embedded server's log; --json gives its lines as they are";
  static override readonly examples = ["multica server logs -n 100", "multica server logs -f"];
  static override readonly flags = {
    follow: switchFlag("go on with new lines until interrupted", { char: "f" }),
    lines: countFlag("how many of the last lines", { default: 50, char: "n" }),
    "data-dir": dataDirFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ServerLogs);
    const { pathExists, systemClock } = await import("../../lib/platform/index.ts");
    const { serverPaths } = await import("../../lib/server/index.ts");
    const { readLog } = await import("../../lib/daemon/index.ts");
    const { printLog } = await import("../../views/logs.ts");
    const path = serverPaths(serverDataDir(this.context(flags), flags["data-dir"], this.cwd)).log;
    if (!(await pathExists(path))) throw missing(`there is no log at ${path}`, "The server has not been started with this data directory yet.");
    const signal = holdInterrupts();
    const lines = readLog({ path, lines: flags.lines ?? 50, follow: flags.follow, clock: systemClock, signal });
    await printLog(lines, { heading: path, raw: this.wantsJson(flags) });
    if (signal.aborted) throw signal.reason;
  }
}

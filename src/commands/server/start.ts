import { BaseCommand } from "../../cli/base-command.ts";
import { switchFlag, textFlag } from "../../cli/flags.ts";
import { leaveInterrupts } from "../../cli/interrupt.ts";
import { dataDirFlag, DEFAULT_HOST, DEFAULT_PORT, serverDataDir, serverPortFlag } from "../../cli/server-options.ts";
import { envText } from "../../lib/config/index.ts";
import type { RunOptions } from "../../lib/server/index.ts";

export default class ServerStart extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Start the embedded server in the background and wait until it answers";
  static override readonly examples = ["multica server start", "multica server start --port 0 --json", "multica server start --foreground"];
  static override readonly flags = {
    foreground: switchFlag("run in this process instead of in the background"),
    port: serverPortFlag,
    host: textFlag("address to listen on, 127.0.0.1 unless given", { helpValue: "<address>" }),
    "data-dir": dataDirFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ServerStart);
    const { systemClock } = await import("../../lib/platform/index.ts");
    const { hostWarning, startInBackground } = await import("../../lib/server/index.ts");
    const dataDir = serverDataDir(this.context(flags), flags["data-dir"], this.cwd);
    const place = { dataDir, host: flags.host ?? DEFAULT_HOST, port: flags.port ?? DEFAULT_PORT, clock: systemClock };
    if (flags.foreground) return await this.foreground(place);
    const { pid, port, url, started_at } = await startInBackground({ ...place, env: this.env });
    const warning = hostWarning(place.host);
    if (warning !== null) this.note(`Warning: ${warning}`);
    await this.emit(flags, { pid, port, url, started_at, data_dir: dataDir }, () => `The server is running at ${url} (pid ${pid}).\n`);
  }

  private async foreground(place: Omit<RunOptions, "version" | "onReady">): Promise<void> {
    const { runServer } = await import("../../lib/server/index.ts");
    const { versionInfo } = await import("../../cli/version.ts");
    const skillCatalogue = envText(this.env, "MULTICA_SKILL_CATALOGUE");
    leaveInterrupts();
    const exit = await runServer({
      ...place,
      ...(skillCatalogue === undefined ? {} : { skillCatalogue }),
      version: versionInfo(this.config.root).version,
      onReady: (info, warning) => {
        this.note(`The server is running at ${info.url} (pid ${info.pid}).`);
        if (warning !== null) this.note(`Warning: ${warning}`);
      },
    });
    if (exit !== 0) this.endWith(exit);
  }
}

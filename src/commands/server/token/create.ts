import { BaseCommand } from "../../../cli/base-command.ts";
import { outputFlag, textFlag } from "../../../cli/flags.ts";
import { usage } from "../../../cli/resolve.ts";
import { dataDirFlag, serverDataDir } from "../../../cli/server-options.ts";

export default class ServerTokenCreate extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Make a token for the embedded server; it is shown once";
  static override readonly examples = ["multica server token create --name laptop --expires 90d"];
  static override readonly flags = {
    name: textFlag("what it is for", { helpValue: "<name>" }),
    expires: textFlag("how long it is good for, such as 90d; without it, for ever", { helpValue: "<duration>" }),
    "data-dir": dataDirFlag,
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ServerTokenCreate);
    const { settingDuration } = await import("../../../lib/config/index.ts");
    const { systemClock } = await import("../../../lib/platform/index.ts");
    const expiresMs = flags.expires === undefined ? undefined : settingDuration(flags.expires, "--expires");
    if (expiresMs !== undefined && expiresMs <= 0) throw usage("--expires must be positive");
    const { mintToken } = await import("../../../lib/server/index.ts");
    const dataDir = serverDataDir(this.context(flags), flags["data-dir"], this.cwd);
    const name = flags.name?.trim() || "cli";
    const token = await mintToken({ dataDir, name, clock: systemClock, ...(expiresMs === undefined ? {} : { expiresMs }) });
    await this.emit(flags, { ...token, name }, () => `${token.token}\n`);
  }
}

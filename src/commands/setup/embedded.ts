import { BaseCommand } from "../../cli/base-command.ts";
import { countFlag, switchFlag, textFlag } from "../../cli/flags.ts";

export default class SetupEmbedded extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Server, account, token and daemon on this machine, without a question; safe to repeat";
  static override readonly examples = ["multica setup embedded", "multica --profile test setup embedded --port 0 --no-daemon --json"];
  static override readonly flags = {
    port: countFlag("port of the server, 8390 unless given; 0 takes any free one", { max: 65_535 }),
    host: textFlag("address the server listens on, 127.0.0.1 unless given", { helpValue: "<address>" }),
    "data-dir": textFlag("where the server keeps its data", { helpValue: "<dir>" }),
    "daemon-port": countFlag("local port of the daemon; 0 takes any free one", { max: 65_535 }),
    "no-daemon": switchFlag("do not start the daemon"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SetupEmbedded);
    const { setupEmbedded } = await import("../../lib/setup/index.ts");
    const { embeddedText, openStages } = await import("../../views/setup.ts");
    const { systemClock } = await import("../../lib/platform/index.ts");
    const { stateDir, profile } = this.context(flags);
    const stages = openStages({ json: this.wantsJson(flags), names: ["server", "account", ...(flags["no-daemon"] ? [] : ["daemon"])] });
    const report = await stages.during(
      setupEmbedded({
        env: this.env,
        cwd: this.cwd,
        stateDir,
        startDaemon: !flags["no-daemon"],
        onEvent: stages.onEvent,
        monotonic: () => systemClock.monotonic(),
        ...(profile === "" ? {} : { profile }),
        ...(flags.port === undefined ? {} : { port: flags.port }),
        ...(flags.host === undefined ? {} : { host: flags.host }),
        ...(flags["data-dir"] === undefined ? {} : { dataDir: flags["data-dir"] }),
        ...(flags["daemon-port"] === undefined ? {} : { daemonPort: flags["daemon-port"] }),
      }),
    );
    await this.emit(flags, report, () => embeddedText(report));
  }
}

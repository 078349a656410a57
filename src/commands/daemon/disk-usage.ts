import { BaseCommand } from "../../cli/base-command.ts";
import { countFlag, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { EXIT, MulticaError } from "../../lib/core/index.ts";

export default class DaemonDiskUsage extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Show what environments take on disk, and how much of it could be made again";
  static override readonly examples = ["multica daemon disk-usage", "multica daemon disk-usage --by-workspace", "multica daemon disk-usage --top 10 --json"];
  static override readonly flags = {
    "by-task": switchFlag("a line for each environment (the default)"),
    "by-workspace": switchFlag("a line for each workspace"),
    top: countFlag("show only the largest; the totals stay those of all", { default: 0 }),
    "workspaces-root": textFlag("another root than the profile's", { helpValue: "<dir>" }),
    "all-profiles": switchFlag("the roots of all profiles"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(DaemonDiskUsage);
    const exclude = (a: boolean | undefined, b: boolean, text: string): void => {
      if (a === true && b) throw new MulticaError("usage", text, { exit: EXIT.usage });
    };
    exclude(flags["by-task"], flags["by-workspace"] === true, "--by-task and --by-workspace exclude each other");
    exclude(flags["all-profiles"], flags["workspaces-root"] !== undefined, "--all-profiles and --workspaces-root exclude each other");
    const { usageOf, usageOfAll, allProfiles } = await import("../../cli/disk-usage.ts");
    const { topOf, usageOfAllText, usageText } = await import("../../views/disk-usage.ts");
    const machine = { context: this.context(flags), env: this.env, home: this.home };
    const view = { by: flags["by-workspace"] === true ? ("workspace" as const) : ("task" as const), top: flags.top ?? 0 };
    if (flags["all-profiles"] === true) {
      const roots = await usageOfAll(machine);
      return await this.emit(flags, allProfiles(roots.map((one) => ({ ...one, report: topOf(one.report, view.top) }))), () => usageOfAllText(roots, view));
    }
    const ask = view.by === "task" || this.wantsJson(flags);
    const usage = await usageOf(machine, { root: flags["workspaces-root"], ask, warn: (text) => this.note(`warning: ${text}`) });
    await this.emit(flags, topOf(usage, view.top), () => usageText(usage, view));
  }
}

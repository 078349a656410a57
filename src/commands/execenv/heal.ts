import { BaseCommand } from "../../cli/base-command.ts";
import { openPlace, refuseInTask, rootFlags, selectFor, targetOf, worstExit } from "../../cli/execenv.ts";
import { Args, Flags } from "../../cli/oclif.ts";
import { healExit, healOptions, healReport } from "../../cli/heal.ts";
import { outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { usage } from "../../cli/resolve.ts";
import type { HealReport } from "../../lib/execenv/index.ts";

export default class ExecenvHeal extends BaseCommand {
  // Its own refusal: an operator may stand inside the workspaces root, where every directory looks like a task's.
  static override readonly access = "any";
  static override readonly strict = false;
  static override readonly summary = "Repair environments: links, configuration, missing files; work and histories are kept";
  static override readonly description =
    "ENV as for execenv inspect; without it, the environment of the current directory. What is replaced is backed up inside the " +
    "environment. Ends with 0 when all is well, 8 when something is left that a person must decide, 7 when a running execution holds it.";
  static override readonly examples = ["multica execenv heal", "multica execenv heal --all --dry-run", "multica execenv heal 3f2a9c10b7de --reset-config"];
  static override readonly args = { env: Args.string({ description: "which environments", required: false, ignoreStdin: true }) };
  static override readonly flags = {
    ...rootFlags,
    all: switchFlag("every environment below the root"),
    "dry-run": Flags.boolean({ description: "say what would be done; write nothing", aliases: ["check"] }),
    only: textFlag("only findings with these codes", { helpValue: "<code,…>" }),
    skip: textFlag("not those with these codes", { helpValue: "<code,…>" }),
    "min-severity": textFlag("only from this severity on", { options: ["error", "warn", "info"] }),
    "adopt-sessions": switchFlag("move the histories of a real sessions directory into the shared one"),
    "reset-config": switchFlag("take config.toml anew from the shared home (backed up); --reset-config=<name,…>: only these keys and tables"),
    "reset-config-units": Flags.string({ hidden: true }),
    local: switchFlag("also remove what ended tasks left in a user's directory"),
    "no-backup": switchFlag("do not keep what --reset-config replaces"),
    "shared-home": textFlag("the Codex home that environments share", { helpValue: "<dir>" }),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    refuseInTask(this.env, this.words);
    this.argv = this.argv.map((word) => word.replace(/^--reset-config=(?!(?:true|false)$)/, "--reset-config-units="));
    const { argv, flags } = await this.parse(ExecenvHeal);
    const selectors = argv.map(String);
    if (flags.all === true && selectors.length > 0) throw usage("--all and named environments exclude each other");
    const place = openPlace({ context: this.context(flags), env: this.env, home: this.home, root: flags.root });
    const envs = await selectFor(place, flags.all === true ? "all" : selectors.length === 0 ? ["."] : selectors, { cwd: this.cwd });
    const { healEnvironment, isFindingCode } = await import("../../lib/execenv/index.ts");
    const options = healOptions(flags, isFindingCode);
    const reports: HealReport[] = [];
    for (const env of envs.filter((one) => flags.all !== true || one.state !== "foreign")) {
      reports.push(healReport(env, env.state === "foreign" ? null : await healEnvironment(targetOf(place, env, flags["shared-home"]), options)));
    }
    const { healText, healDocument } = await import("../../views/execenv.ts");
    const document = healDocument(reports, flags["dry-run"] === true);
    await this.emit(flags, document, () => healText(document));
    const exit = worstExit(reports.map(healExit));
    if (exit !== 0) this.endWith(exit);
  }
}

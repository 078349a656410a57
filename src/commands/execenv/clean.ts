import { BaseCommand } from "../../cli/base-command.ts";
import { cleanExit, cleanPart, pickForCleaning } from "../../cli/clean.ts";
import { confirm } from "../../cli/confirm.ts";
import { openPlace, refuseInTask, rootFlags, worstExit } from "../../cli/execenv.ts";
import { outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { Args } from "../../cli/oclif.ts";
import { resolveGcSettings } from "../../lib/config/index.ts";
import type { CleanReport } from "../../lib/execenv/index.ts";

export default class ExecenvClean extends BaseCommand {
  static override readonly access = "any";
  static override readonly strict = false;
  static override readonly summary = "Delete environments, or a part of them, on request";
  static override readonly description =
    "ENV as for execenv inspect. Refuses what is in use (7), and what is not ours, lies outside the root or holds work that exists " +
    "nowhere else (5). A user's own directory is never deleted.";
  static override readonly examples = ["multica execenv clean 3f2a9c10b7de", "multica execenv clean --older-than 30d --artifacts --yes", "multica execenv clean --orphans --dry-run"];
  static override readonly args = { env: Args.string({ description: "which environments", required: false, ignoreStdin: true }) };
  static override readonly flags = {
    ...rootFlags,
    orphans: switchFlag("all that nobody can be asked about any more"),
    "older-than": textFlag("all that were not used for this long", { helpValue: "<duration>" }),
    artifacts: switchFlag("only what a build makes again (node_modules and the like)"),
    workdir: switchFlag("only the working directory; output and logs stay"),
    sidecars: switchFlag("only what a task left in a user's directory"),
    "discard-work": switchFlag("also what holds work that exists nowhere else; that work is kept as a rescue for 30 days"),
    force: switchFlag("end commands that still work in it first; a running task is never ended"),
    yes: switchFlag("do not ask"),
    "dry-run": switchFlag("say what would be deleted; write nothing"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    refuseInTask(this.env, this.words);
    const { argv, flags } = await this.parse(ExecenvClean);
    const part = cleanPart(flags);
    const place = openPlace({ context: this.context(flags), env: this.env, home: this.home, root: flags.root });
    const envs = await pickForCleaning(place, argv.map(String), flags, this.cwd);
    const dryRun = flags["dry-run"] === true;
    if (!dryRun && envs.length > 0 && flags.yes !== true) {
      const names = envs.map((env) => env.id).join(", ");
      if (!(await confirm(`Delete ${part === "root" ? "" : `the ${part} of `}${envs.length === 1 ? names : `${envs.length} environments (${names})`}?`, "--yes"))) return;
    }
    const { cleanEnvironment } = await import("../../lib/execenv/index.ts");
    const { systemClock } = await import("../../lib/platform/index.ts");
    const { endUsers, usedByProcesses } = await import("../../cli/exec/users.ts");
    const { artifactPatterns } = resolveGcSettings(this.env);
    const request = { workspacesRoot: place.workspacesRoot, part, artifactPatterns, discardWork: flags["discard-work"] === true, dryRun, isActive: usedByProcesses(this.context(flags).stateDir) };
    const reports: CleanReport[] = [];
    for (const env of envs) {
      if (flags.force === true && !dryRun) await endUsers(this.context(flags).stateDir, env.path, systemClock);
      reports.push(await cleanEnvironment(env, { ...request, clock: systemClock, env: this.env }));
    }
    const { cleanText } = await import("../../views/execenv.ts");
    await this.emit(flags, { dry_run: dryRun, envs: reports }, () => cleanText(reports));
    const exit = worstExit(reports.map(cleanExit));
    if (exit !== 0) this.endWith(exit);
  }
}

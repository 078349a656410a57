import { BaseCommand } from "../../cli/base-command.ts";
import { checkout } from "../../cli/checkout.ts";
import { argument, outputFlag, textFlag } from "../../cli/flags.ts";
import { envText } from "../../lib/config/index.ts";
import { redactText } from "../../lib/core/index.ts";
import { systemClock } from "../../lib/platform/index.ts";

export default class RepoCheckout extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Inside a task: check a repository out below the current directory and print its path";
  static override readonly examples = ["multica repo checkout https://github.com/acme/app.git --ref main"];
  static override readonly args = { url: argument("repository URL as multica repo list shows it") };
  static override readonly flags = {
    ref: textFlag("branch, tag or commit to start from", { helpValue: "<ref>" }),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RepoCheckout);
    const shown = redactText(args.url.trim());
    const result = await checkout({
      context: this.context(flags),
      url: args.url.trim(),
      ref: flags.ref ?? "",
      workdir: this.cwd,
      mode: envText(this.env, "MULTICA_REPO_CHECKOUT_MODE") ?? "",
      clock: systemClock,
      onProgress: ({ stage, percent }) => this.note(`Cloning ${shown}: ${stage} ${percent}%`),
    });
    await this.emit(flags, result, () => `${result.path}\n`);
    this.note(`Checked out ${shown} → ${result.path} (branch: ${result.branch_name})`);
    const rescued = result["rescued"] as { ref?: string; files?: number } | undefined;
    if (rescued?.ref !== undefined) this.note(`Work that was there has been saved: ${rescued.files ?? 0} uncommitted files, ${rescued.ref}`);
    if (result["stale"] === true) this.note("Warning: the repository could not be fetched, this is the state of the last fetch.");
    const warnings: unknown = result["warnings"];
    for (const warning of Array.isArray(warnings) ? (warnings as unknown[]) : []) this.note(`Warning: ${String(warning)}`);
  }
}

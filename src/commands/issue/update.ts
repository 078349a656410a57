import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { checkIssueFields, issueFieldFlags, issueFields } from "../../cli/issue-fields.ts";
import { checkLinks } from "../../cli/link-check.ts";
import { checkIssueRef, resolveIssue, usage } from "../../cli/resolve.ts";
import { readText } from "../../cli/text-input.ts";

export default class IssueUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change fields of an issue; only the given ones are sent";
  static override readonly examples = ["multica issue update MUL-12 --priority high", 'multica issue update MUL-12 --parent ""'];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = {
    title: textFlag("title", { helpValue: "<text>" }),
    ...issueFieldFlags,
    position: textFlag("place in its column", { helpValue: "<number>" }),
    "no-start": switchFlag("do not start a run for this change (older servers start one anyway)"),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags, raw } = await this.parse(IssueUpdate);
    checkIssueFields(flags);
    const position = flags.position === undefined ? undefined : Number(flags.position);
    if (position !== undefined && (flags.position === "" || !Number.isFinite(position))) throw usage("--position must be a number");
    const set = this.setFlags(raw);
    const ignored = ["no-start", "allow-external-file", "output", "json", "debug", "profile", "server-url", "workspace-id"];
    if ([...set].every((name) => ignored.includes(name))) throw usage("nothing to change");
    checkIssueRef(args.issue);
    const text = await readText({
      name: "description",
      inline: flags.description,
      stdin: flags["description-stdin"],
      file: flags["description-file"],
      cwd: this.cwd,
      allowExternal: flags["allow-external-file"],
    });
    await checkLinks({ text, context: this.context(flags), cwd: this.cwd, delivery: "issue comment add --attachment" });
    const session = this.session(flags);
    const { id } = await resolveIssue(session, args.issue);
    const describes = [...set].some((name) => name.startsWith("description"));
    const issue = await session.api.updateIssue(id, {
      ...(flags.title === undefined ? {} : { title: flags.title }),
      ...(describes ? { description: text ?? "" } : {}),
      ...(await issueFields(session, flags)),
      ...(position === undefined ? {} : { position }),
      ...(flags["no-start"] ? { suppress_run: true } : {}),
    });
    await this.emit(flags, issue, async () => (await import("../../views/issues.ts")).issueLine(issue));
  }
}

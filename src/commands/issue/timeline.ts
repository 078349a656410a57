import { ApiCommand } from "../../cli/api-command.ts";
import { csvValues } from "../../cli/csv.ts";
import { argument, countFlag, listFlag, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { resolveIssue } from "../../cli/resolve.ts";
import { filterTimeline, sinceTime } from "../../cli/timeline.ts";
import { createIssueExtrasApi } from "../../lib/api/user-api-issue.ts";

export default class IssueTimeline extends ApiCommand {
  static override readonly access = "api";
  static override readonly aliases = ["issue:history"];
  static override readonly summary = "Show what happened to an issue and what was said, oldest first";
  static override readonly examples = ["multica issue timeline MUL-12 --activity-only --tail 20", "multica issue timeline MUL-12 --action status_changed --output json"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = {
    "activity-only": switchFlag("without comments"),
    action: listFlag("only these actions, such as status_changed; repeatable, or separated by commas", "<action>"),
    since: textFlag("only what came after this time", { helpValue: "<rfc3339>" }),
    tail: countFlag("only the last n entries"),
    "full-id": switchFlag("accepted for the sake of scripts; the table has no ids"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueTimeline);
    sinceTime(flags.since);
    const actions = csvValues("action", flags.action);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, args.issue);
    const { entries, truncated } = await createIssueExtrasApi(session.http).timeline(id);
    const shown = filterTimeline(entries, { activityOnly: flags["activity-only"], actions, since: flags.since, tail: flags.tail });
    await this.emit(flags, shown, async () => {
      const { displayNames } = await import("../../cli/names.ts");
      const { timelineTable } = await import("../../views/issue-extras.ts");
      return timelineTable(shown, await displayNames(session));
    });
    if (truncated !== "") this.note(`Warning: the server left older entries out (${truncated}); do not conclude durations from this list.`);
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { placeOf, planMove } from "../../cli/reorder.ts";
import { checkIssueRef } from "../../cli/resolve.ts";

export default class IssueReorder extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Move an issue within its column";
  static override readonly examples = ["multica issue reorder MUL-12 --top", "multica issue reorder MUL-12 --after MUL-7"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = {
    before: textFlag("above this issue", { helpValue: "<issue>" }),
    after: textFlag("below this issue", { helpValue: "<issue>" }),
    top: switchFlag("above all others"),
    bottom: switchFlag("below all others"),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags, raw } = await this.parse(IssueReorder);
    const ref = checkIssueRef(args.issue);
    const place = placeOf(flags, this.setFlags(raw));
    const session = this.session(flags);
    session.workspaceId();
    const before = await session.api.issue(ref);
    const move = await planMove(session, before, place);
    const issue = move.kind === "move" ? await session.api.updateIssue(before.id, { position: move.position }) : before;
    if (move.kind !== "move") this.note(`${before.identifier} ${move.kind === "alone" ? `is alone in ${before.status}` : "stands there already"}.`);
    await this.emit(flags, issue, async () => (await import("../../views/issues.ts")).issueLine(issue));
  }
}

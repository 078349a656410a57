import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { createPersonApi } from "../../lib/api/user-api-chat.ts";

export default class InboxUnarchive extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Take an item out of the archive";
  static override readonly examples = ["multica inbox unarchive 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { item: argument("inbox item UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(InboxUnarchive);
    const session = this.session(flags);
    session.workspaceId();
    const item = await createPersonApi(session.http).mark(args.item, "unarchive");
    await this.emit(flags, item, async () => (await import("../../views/person.ts")).inboxTable([item]));
  }
}

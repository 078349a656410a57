import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag, switchFlag } from "../../cli/flags.ts";
import { usage } from "../../cli/resolve.ts";
import { createPersonApi } from "../../lib/api/user-api-chat.ts";

export default class InboxArchiveAll extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Put your inbox, or a part of it, into the archive";
  static override readonly examples = ["multica inbox archive-all --read-only"];
  static override readonly flags = {
    "read-only": switchFlag("only what you have read"),
    completed: switchFlag("only what is about closed issues"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(InboxArchiveAll);
    if (flags["read-only"] && flags.completed) throw usage("--read-only and --completed exclude each other");
    const session = this.session(flags);
    session.workspaceId();
    const action = flags["read-only"] ? "archive-all-read" : flags.completed ? "archive-completed" : "archive-all";
    const changed = await createPersonApi(session.http).markMany(action);
    await this.emit(flags, changed, () => `${changed.count}\n`);
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { countFlag, outputFlag, textFlag } from "../../cli/flags.ts";
import { createChatApi } from "../../lib/api/user-api-chat.ts";

export default class ChatHistory extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show the conversation that this chat task belongs to, oldest first";
  static override readonly examples = ["multica chat history --limit 20 --output json"];
  static override readonly flags = {
    limit: countFlag("how many messages at most; 0 leaves it to the server", { default: 0 }),
    before: textFlag("page: next_cursor of the answer before", { helpValue: "<cursor>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ChatHistory);
    const { limit = 0, before } = flags;
    const page = { limit: limit > 0 ? limit : undefined, before };
    const transcript = await createChatApi(this.session(flags).http).history(page);
    await this.emit(flags, transcript, async () => (await import("../../views/squads.ts")).transcriptTable(transcript));
  }
}

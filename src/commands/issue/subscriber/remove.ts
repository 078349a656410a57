import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { changeSubscriber, subscriberFlags } from "../../../cli/subscribers.ts";

export default class IssueSubscriberRemove extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Tell somebody, or yourself, about an issue no more";
  static override readonly examples = ["multica issue subscriber remove MUL-12", "multica issue subscriber remove MUL-12 --user Dev"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { ...subscriberFlags, output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueSubscriberRemove);
    const { answer, key, name } = await changeSubscriber({ verb: "unsubscribe", issue: args.issue, flags, session: () => this.session(flags) });
    await this.emit(flags, answer, () => "");
    this.note(`${name} will not be told about ${key}.`);
  }
}

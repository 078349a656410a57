import { ApiCommand } from "../../../cli/api-command.ts";
import { outputFlag } from "../../../cli/flags.ts";

export default class UserProfileGet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show what agents are told about you";
  static override readonly examples = ["multica user profile get"];
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(UserProfileGet);
    const user = await this.session(flags).api.me();
    await this.emit(flags, user, async () => (await import("../../../views/person.ts")).userProfile(user));
  }
}

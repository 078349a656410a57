import { ApiCommand } from "../../../cli/api-command.ts";
import { outputFlag, switchFlag, textFlag } from "../../../cli/flags.ts";
import { usage } from "../../../cli/resolve.ts";
import { readText } from "../../../cli/text-input.ts";
import { createPersonApi } from "../../../lib/api/user-api-chat.ts";

export default class UserProfileUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change what agents are told about you; at most 2000 characters";
  static override readonly examples = ['multica user profile update --description "Answers in English, please."', "multica user profile update --clear"];
  static override readonly flags = {
    description: textFlag("text; \\n is decoded, prefer --description-file, a value with a leading dash needs =", { helpValue: "<text>" }),
    "description-file": textFlag("read the text from a file below the current directory", { helpValue: "<path>" }),
    "description-stdin": switchFlag("read the text from standard input"),
    "allow-external-file": switchFlag("let --description-file point outside the current directory"),
    clear: switchFlag("remove the text"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(UserProfileUpdate);
    const { description, "description-file": file, "description-stdin": stdin } = flags;
    const given = description !== undefined || file !== undefined || stdin;
    if (flags.clear && given) throw usage("--clear takes no text");
    if (!flags.clear && !given) throw usage("give the text with --description, --description-file or --description-stdin, or --clear");
    const text = await readText({ name: "description", inline: description, stdin, file, cwd: this.cwd, allowExternal: flags["allow-external-file"] });
    const user = await createPersonApi(this.session(flags).http).setProfile(text ?? "");
    await this.emit(flags, user, async () => (await import("../../../views/person.ts")).userProfile(user));
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { notBlank } from "../../cli/families.ts";
import { outputFlag, requiredTextFlag } from "../../cli/flags.ts";
import { createLabelApi } from "../../lib/api/user-api-label.ts";

export default class LabelCreate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Create a label";
  static override readonly examples = ["multica label create --name bug --color #d73a4a"];
  static override readonly flags = {
    name: requiredTextFlag("name", { helpValue: "<name>" }),
    color: requiredTextFlag("color as six hexadecimal digits", { helpValue: "<#rrggbb>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(LabelCreate);
    const body = { name: notBlank("--name", flags.name), color: notBlank("--color", flags.color) };
    const session = this.session(flags);
    session.workspaceId();
    const label = await createLabelApi(session.http).create(body);
    await this.emit(flags, label, async () => (await import("../../views/issue-extras.ts")).labelTable([label], true, true));
  }
}

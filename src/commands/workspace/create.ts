import { ApiCommand } from "../../cli/api-command.ts";
import { notBlank } from "../../cli/families.ts";
import { outputFlag, requiredTextFlag } from "../../cli/flags.ts";
import { withoutWorkspace } from "../../cli/session.ts";
import { workspaceFieldFlags, workspaceFields } from "../../cli/workspace-fields.ts";
import { createLightHttp } from "../../lib/api/light-http.ts";
import { createUserApi } from "../../lib/api/user-api.ts";

export default class WorkspaceCreate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Create a workspace; the current one stays the current one";
  static override readonly examples = ['multica workspace create --name Acme --slug acme --context "We write Go."'];
  static override readonly flags = {
    name: requiredTextFlag("name that people see", { helpValue: "<name>" }),
    slug: requiredTextFlag("name in addresses: lower-case letters, digits and hyphens", { helpValue: "<slug>" }),
    ...workspaceFieldFlags,
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(WorkspaceCreate);
    const body = { name: notBlank("--name", flags.name), slug: notBlank("--slug", flags.slug), ...(await workspaceFields(flags)) };
    const workspace = await createUserApi(createLightHttp(withoutWorkspace(this.session(flags)))).createWorkspace(body);
    await this.emit(flags, workspace, async () => (await import("../../views/workspaces.ts")).workspaceDetails(workspace));
  }
}

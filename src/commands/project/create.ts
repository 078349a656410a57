import { ApiCommand } from "../../cli/api-command.ts";
import { listFlag, outputFlag, requiredTextFlag } from "../../cli/flags.ts";
import { checkProjectFields, projectFieldFlags, projectFields } from "../../cli/project-fields.ts";
import { createProjectApi } from "../../lib/api/user-api-project.ts";

export default class ProjectCreate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Create a project";
  static override readonly examples = ['multica project create --title "New site" --lead Lea --repo https://github.com/acme/site.git'];
  static override readonly flags = {
    title: requiredTextFlag("title", { helpValue: "<text>" }),
    ...projectFieldFlags,
    repo: listFlag("repository of the project; repeatable", "<url>"),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ProjectCreate);
    checkProjectFields(flags);
    const resources = (flags.repo ?? []).map((url) => ({ resource_type: "github_repo", resource_ref: { url } }));
    const session = this.session(flags);
    session.workspaceId();
    const fields = await projectFields(session, flags);
    const project = await createProjectApi(session.http).create({ ...fields, ...(resources.length === 0 ? {} : { resources }) });
    await this.emit(flags, project, async () => (await import("../../views/projects.ts")).projectLine(project));
  }
}

import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { resolveProject } from "../../cli/resolve-objects.ts";
import { createProjectApi } from "../../lib/api/user-api-project.ts";

export default class ProjectGet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show a project";
  static override readonly examples = ["multica project get 3f2a"];
  static override readonly args = { project: argument("project UUID or its first digits") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ProjectGet);
    const session = this.session(flags);
    const project = await createProjectApi(session.http).get(await resolveProject(session, args.project));
    await this.emit(flags, project, async () => {
      const { displayNames } = await import("../../cli/names.ts");
      const { projectDetails } = await import("../../views/projects.ts");
      return projectDetails(project, await displayNames(session));
    });
    if ((project.resource_count ?? 0) > 0) this.note(`It has resources: multica project resource list ${project.id} shows them.`);
  }
}

import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { resolveProject, resolveResource } from "../../../cli/resolve-objects.ts";
import { createProjectApi } from "../../../lib/api/user-api-project.ts";

export default class ProjectResourceRemove extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Take a repository or a directory from a project";
  static override readonly examples = ["multica project resource remove 3f2a 91bc"];
  static override readonly args = { project: argument("project UUID or its first digits"), resource: argument("resource UUID or its first digits") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ProjectResourceRemove);
    const session = this.session(flags);
    const project = await resolveProject(session, args.project);
    const id = await resolveResource(session, project, args.resource);
    await createProjectApi(session.http).removeResource(project, id);
    await this.emit(flags, { id, deleted: true }, () => `Removed resource ${id}.\n`);
  }
}

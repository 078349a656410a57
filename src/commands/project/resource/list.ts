import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag, switchFlag } from "../../../cli/flags.ts";
import { resolveProject } from "../../../cli/resolve-objects.ts";
import { createProjectApi } from "../../../lib/api/user-api-project.ts";

export default class ProjectResourceList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the repositories and directories of a project";
  static override readonly examples = ["multica project resource list 3f2a"];
  static override readonly args = { project: argument("project UUID or its first digits") };
  static override readonly flags = { "full-id": switchFlag("show whole ids"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ProjectResourceList);
    const session = this.session(flags);
    const resources = await createProjectApi(session.http).resources(await resolveProject(session, args.project));
    await this.emit(flags, resources, async () => (await import("../../../views/projects.ts")).resourceTable(resources, flags["full-id"]));
  }
}

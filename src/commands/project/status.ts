import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { resolveProject } from "../../cli/resolve-objects.ts";
import { createProjectApi } from "../../lib/api/user-api-project.ts";
import { PROJECT_STATUSES } from "../../lib/wire/project-statuses.ts";

export default class ProjectStatus extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Set the status of a project; prints nothing on stdout but with --output json";
  static override readonly examples = ["multica project status 3f2a completed"];
  static override readonly args = {
    project: argument("project UUID or its first digits"),
    status: argument("new status", { options: [...PROJECT_STATUSES] }),
  };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ProjectStatus);
    const session = this.session(flags);
    const project = await createProjectApi(session.http).update(await resolveProject(session, args.project), { status: args.status });
    await this.emit(flags, project, () => "");
    this.note(`${project.title} is now ${project.status}.`);
  }
}

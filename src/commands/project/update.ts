import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag, textFlag } from "../../cli/flags.ts";
import { checkProjectFields, projectFieldFlags, projectFields } from "../../cli/project-fields.ts";
import { resolveProject } from "../../cli/resolve-objects.ts";
import { usage } from "../../cli/resolve.ts";
import { createProjectApi } from "../../lib/api/user-api-project.ts";

export default class ProjectUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change fields of a project; only the given ones are sent";
  static override readonly examples = ["multica project update 3f2a --due-date 2027-01-31", 'multica project update 3f2a --due-date ""'];
  static override readonly args = { project: argument("project UUID or its first digits") };
  static override readonly flags = { title: textFlag("title", { helpValue: "<text>" }), ...projectFieldFlags, output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags, raw } = await this.parse(ProjectUpdate);
    checkProjectFields(flags);
    const set = this.setFlags(raw);
    if (!["title", ...Object.keys(projectFieldFlags)].some((name) => set.has(name))) throw usage("nothing to change");
    const session = this.session(flags);
    const id = await resolveProject(session, args.project);
    const project = await createProjectApi(session.http).update(id, await projectFields(session, flags));
    await this.emit(flags, project, async () => (await import("../../views/projects.ts")).projectLine(project));
  }
}

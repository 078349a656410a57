import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { resolveProject } from "../../cli/resolve-objects.ts";
import { createProjectApi } from "../../lib/api/user-api-project.ts";

export default class ProjectDelete extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Delete a project; its issues stay";
  static override readonly examples = ["multica project delete 3f2a"];
  static override readonly args = { project: argument("project UUID or its first digits") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ProjectDelete);
    const session = this.session(flags);
    const id = await resolveProject(session, args.project);
    await createProjectApi(session.http).remove(id);
    await this.emit(flags, { id, deleted: true }, () => "");
    this.note(`Deleted project ${id}.`);
  }
}

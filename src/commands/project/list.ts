import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { createProjectApi } from "../../lib/api/user-api-project.ts";

export default class ProjectList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the workspace's projects";
  static override readonly examples = ["multica project list", "multica project list --status in_progress --output json"];
  static override readonly flags = { status: textFlag("only this status", { helpValue: "<status>" }), "full-id": switchFlag("show whole ids"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(ProjectList);
    const session = this.session(flags);
    const projects = await createProjectApi(session.http).list({ workspace_id: session.workspaceId(), status: flags.status });
    await this.emit(flags, projects, async () => {
      const { displayNames } = await import("../../cli/names.ts");
      const { projectTable } = await import("../../views/projects.ts");
      return projectTable(projects, flags["full-id"], await displayNames(session));
    });
  }
}

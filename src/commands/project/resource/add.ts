import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { resolveProject } from "../../../cli/resolve-objects.ts";
import { resourceFlags, resourceRef } from "../../../cli/resource-ref.ts";
import { createProjectApi } from "../../../lib/api/user-api-project.ts";

export default class ProjectResourceAdd extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Give a project a repository or a directory";
  static override readonly examples = [
    "multica project resource add 3f2a --url https://github.com/acme/app.git --ref main",
    "multica project resource add 3f2a --type local_directory --local-path /srv/app --daemon-id D1 --execution-mode worktree",
  ];
  static override readonly args = { project: argument("project UUID or its first digits") };
  static override readonly flags = { ...resourceFlags, output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ProjectResourceAdd);
    const type = flags.type ?? "github_repo";
    const body = { resource_type: type, resource_ref: resourceRef(type, flags), ...(flags.label === undefined ? {} : { label: flags.label }) };
    const session = this.session(flags);
    const resource = await createProjectApi(session.http).addResource(await resolveProject(session, args.project), body);
    await this.emit(flags, resource, async () => (await import("../../../views/projects.ts")).resourceTable([resource], true));
  }
}

import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, countFlag, outputFlag, switchFlag } from "../../../cli/flags.ts";
import { resolveProject, resolveResource } from "../../../cli/resolve-objects.ts";
import { missing, usage } from "../../../cli/resolve.ts";
import { resourceFlags, resourceRef } from "../../../cli/resource-ref.ts";
import { createProjectApi } from "../../../lib/api/user-api-project.ts";

export default class ProjectResourceUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change a repository or a directory of a project; an empty flag removes its value";
  static override readonly examples = ["multica project resource update 3f2a 91bc --ref release", "multica project resource update 3f2a 91bc --clear-label"];
  static override readonly args = { project: argument("project UUID or its first digits"), resource: argument("resource UUID or its first digits") };
  static override readonly flags = {
    ...resourceFlags,
    "clear-label": switchFlag("remove the name that people see"),
    position: countFlag("place in the list"),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags, raw } = await this.parse(ProjectResourceUpdate);
    if (flags["clear-label"] && flags.label !== undefined) throw usage("--label and --clear-label exclude each other");
    const set = this.setFlags(raw);
    if (![...Object.keys(resourceFlags), "clear-label", "position"].some((name) => set.has(name))) throw usage("nothing to change");
    const session = this.session(flags);
    const api = createProjectApi(session.http);
    const project = await resolveProject(session, args.project);
    const id = await resolveResource(session, project, args.resource);
    const stored = (await api.resources(project)).find((one) => one.id === id);
    if (stored === undefined) throw missing("the project has no such resource", `multica project resource list ${project} shows what it has.`);
    const type = flags.type ?? stored.resource_type;
    const ref = resourceRef(type, flags, type === stored.resource_type ? stored.resource_ref : {});
    const resource = await api.updateResource(project, id, {
      ...(flags.type === undefined ? {} : { resource_type: type }),
      ...(ref === undefined ? {} : { resource_ref: ref }),
      ...(flags["clear-label"] ? { label: null } : flags.label === undefined ? {} : { label: flags.label }),
      ...(flags.position === undefined ? {} : { position: flags.position }),
    });
    await this.emit(flags, resource, async () => (await import("../../../views/projects.ts")).resourceTable([resource], true));
  }
}

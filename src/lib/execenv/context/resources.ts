import type { ProjectFact } from "../types.ts";

/** The text of `.multica/project/resources.json`, or undefined when the task has no project (execenv.md 8.4). */
export function renderResources(project: ProjectFact | undefined): string | undefined {
  if (project === undefined || (!project.id && project.resources.length === 0)) return undefined;
  const body = {
    ...(project.id ? { project_id: project.id } : {}),
    ...(project.title ? { project_title: project.title } : {}),
    ...(project.description ? { project_description: project.description } : {}),
    resources: project.resources.map((resource) => ({
      id: resource.id,
      resource_type: resource.type,
      resource_ref: resource.ref ?? {},
      ...(resource.label ? { label: resource.label } : {}),
    })),
  };
  return `${JSON.stringify(body, null, 2)}\n`;
}

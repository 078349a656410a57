import { type InstalledSkills, type TaskContext, taskKind } from "../types.ts";
import { commandSection, quickCreateCommands } from "./commands.ts";
import {
  bodyFormatSection,
  commentFormatSection,
  headerSection,
  identitySection,
  linkSection,
  projectSection,
  repoSection,
  requestingUserSection,
  skillSection,
  workspaceSection,
} from "./sections.ts";
import { workflowSection } from "./workflow.ts";

/**
 * The standing rules for one conversation, as Markdown (execenv.md 10). Nothing that changes from run to run is in it
 * (trigger comment, thread, initiator): it is the prefix of every prompt and must stay the same byte for byte.
 */
export function renderBrief(task: TaskContext, skills?: InstalledSkills): string {
  const kind = taskKind(task);
  const onIssue = kind === "issue";
  const quick = kind === "quick_create";
  const sections = [
    headerSection(),
    identitySection(task),
    requestingUserSection(task),
    workspaceSection(task),
    quick ? quickCreateCommands() : commandSection(task),
    bodyFormatSection(),
    onIssue ? commentFormatSection() : undefined,
    quick ? undefined : repoSection(task.repos),
    projectSection(task),
    workflowSection(kind, task),
    skillSection(skills),
    onIssue ? linkSection() : undefined,
  ];
  return `${sections.filter((section) => section !== undefined).join("\n\n")}\n`;
}

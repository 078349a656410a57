import { ApiCommand } from "../../cli/api-command.ts";
import { csvValues } from "../../cli/csv.ts";
import { countFlag, listFlag, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { findPerson } from "../../cli/issue-fields.ts";
import { metadataFilter } from "../../cli/metadata.ts";
import { usage } from "../../cli/resolve.ts";

export default class IssueList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the workspace's issues";
  static override readonly examples = ["multica issue list", "multica issue list --status todo --output json"];
  static override readonly flags = {
    status: textFlag("only this status", { helpValue: "<status>" }),
    priority: textFlag("only this priority", { helpValue: "<priority>" }),
    assignee: textFlag("only of this member, agent or squad", { helpValue: "<name>" }),
    "assignee-id": textFlag("only of this member, agent or squad", { helpValue: "<uuid>" }),
    project: textFlag("only of this project", { helpValue: "<uuid>" }),
    metadata: listFlag("only with this metadata, as key=value; repeatable, or separated by commas", "<key=value>"),
    sort: textFlag("order", { options: ["position", "title", "created_at", "start_date", "due_date", "priority"] }),
    direction: textFlag("direction of the order: asc or desc", { helpValue: "<asc|desc>" }),
    limit: countFlag("how many at most", { default: 50 }),
    offset: countFlag("how many to skip", { default: 0 }),
    "full-id": switchFlag("show whole ids"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(IssueList);
    const direction = flags.direction?.toLowerCase();
    if (direction !== undefined && direction !== "asc" && direction !== "desc") throw usage("--direction must be asc or desc");
    if (direction !== undefined && (flags.sort ?? "position") === "position") throw usage("--direction needs a --sort other than position");
    if (flags.assignee !== undefined && flags["assignee-id"] !== undefined) throw usage("--assignee and --assignee-id exclude each other");
    const metadata = metadataFilter(csvValues("metadata", flags.metadata));
    const { limit = 50, offset = 0 } = flags;
    const session = this.session(flags);
    const workspace = session.workspaceId();
    const person = await findPerson(session, flags.assignee, flags["assignee-id"]);
    const { issues, total } = await session.api.issues({
      workspace_id: workspace,
      status: flags.status,
      priority: flags.priority,
      assignee_id: person?.id,
      project_id: flags.project,
      metadata,
      sort: flags.sort,
      direction,
      limit: limit > 0 ? limit : undefined,
      offset: offset > 0 ? offset : undefined,
    });
    const list = issues ?? [];
    const page = { issues: list, total, limit, offset, has_more: offset + list.length < total };
    await this.emit(flags, page, async () => {
      const { displayNames } = await import("../../cli/names.ts");
      const { issueTable } = await import("../../views/issues.ts");
      return issueTable(list, flags["full-id"], list.some((issue) => issue.assignee_id) ? await displayNames(session) : undefined);
    });
    if (page.has_more) this.note(`${list.length} of ${total} issues; --offset ${offset + list.length} shows the next ones.`);
  }
}

import { BaseCommand } from "../../cli/base-command.ts";
import { countFlag, listFlag, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { homePlaces } from "../../cli/session-index.ts";
import { sessionPage } from "../../cli/session-list.ts";
import { sessionQuery } from "../../cli/session-query.ts";

export default class SessionList extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "List the Codex sessions of this machine: your own and those of tasks";
  static override readonly examples = ["multica session list", "multica session list --cwd ~/app/** --search build", "multica session list --issue <uuid> --json"];
  static override readonly flags = {
    limit: countFlag("how many at most", { min: 1, max: 500, default: 25 }),
    cursor: textFlag("go on where a page ended (next_cursor)", { helpValue: "<cursor>" }),
    sort: textFlag("order by the last change or the start", { options: ["updated", "created"] }),
    asc: switchFlag("oldest first"),
    archived: switchFlag("archived sessions instead of live ones"),
    source: listFlag("only from this source: cli, exec, vscode, …", "<name>"),
    provider: listFlag("only with this model provider", "<name>"),
    cwd: listFlag("only in this directory; with /** at the end, below it as well", "<dir>"),
    search: textFlag("only with this text in name, title or first message", { helpValue: "<text>" }),
    home: textFlag("only of this home: user, tasks or a directory", { helpValue: "<home>" }),
    issue: textFlag("only of this issue", { helpValue: "<uuid>" }),
    task: textFlag("only of this task", { helpValue: "<uuid>" }),
    agent: textFlag("only of this agent", { helpValue: "<uuid>" }),
    "no-index": switchFlag("read the files themselves; no database is touched"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SessionList);
    const query = await sessionQuery(flags, this.cwd);
    const context = this.context(flags);
    const named = query.home === undefined || query.home === "user" || query.home === "tasks" ? [] : [query.home];
    const places = await homePlaces({ context, env: this.env, home: this.home, cwd: this.cwd, homes: named });
    const page = await sessionPage({ stateDir: context.stateDir, places, noIndex: flags["no-index"], note: (line) => this.note(line) }, query);
    const { sessionTable } = await import("../../views/sessions.ts");
    await this.emit(flags, page, () => sessionTable(page));
    if (page.partial) this.note("There are more files than were looked at: the list is not complete.");
    if (page.next_cursor !== null && !this.wantsJson(flags)) this.note(`More: --cursor ${page.next_cursor}`);
  }
}

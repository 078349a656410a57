import { ApiCommand } from "../../cli/api-command.ts";
import { notBlank } from "../../cli/families.ts";
import { outputFlag, textFlag } from "../../cli/flags.ts";
import { usage } from "../../cli/resolve.ts";
import { importResult, importTimeout, skillFile } from "../../cli/skill-import.ts";
import { createFileApi } from "../../lib/api/files.ts";
import { createSkillApi } from "../../lib/api/user-api-skill.ts";

export default class SkillImport extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Import a skill from a directory, an archive or an address";
  static override readonly examples = [
    "multica skill import --file ./skills/deploy",
    "multica skill import --file deploy.zip --on-conflict overwrite",
    "multica skill import --url https://example.com/skills/deploy.zip",
  ];
  static override readonly flags = {
    file: textFlag("directory with a SKILL.md, ZIP or tar.gz archive, or Markdown file", { helpValue: "<path>" }),
    url: textFlag("address of an archive or of a Markdown file; the server fetches it", { helpValue: "<url>" }),
    "on-conflict": textFlag("what to do when the name is taken; fail unless given", { options: ["fail", "overwrite", "rename", "skip"] }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SkillImport);
    if ((flags.file === undefined) === (flags.url === undefined)) throw usage("give exactly one of --file and --url");
    const rule = flags["on-conflict"] ?? "fail";
    const url = flags.url === undefined ? "" : notBlank("--url", flags.url);
    const file = flags.file === undefined ? undefined : await skillFile(notBlank("--file", flags.file), this.cwd, (line) => this.note(line));
    const session = this.session(flags);
    session.workspaceId();
    const work =
      file === undefined
        ? createSkillApi(session.http).importUrl({ url, on_conflict: rule }, importTimeout(session))
        : createFileApi(session.options).importSkill(file, rule);
    const { result, exit } = await importResult(work);
    await this.emit(flags, result, async () => (await import("../../views/skills.ts")).importTable(result));
    for (const path of result.skipped ?? []) this.note(`Warning: the server left ${path} out.`);
    if (exit === 0) return;
    this.note(`Error: ${result.reason ?? `the import ended as ${result.status}`}`);
    this.endWith(exit);
  }
}

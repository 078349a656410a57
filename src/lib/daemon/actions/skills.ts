import { findProvider, listLocalSkills, listMcpServers, readLocalSkill } from "../../agents/index.ts";
import { errorText } from "../../core/index.ts";
import type { LocalSkillImportResult, LocalSkillsResult, McpServerEntry } from "../../wire/index.ts";
import type { DaemonContext } from "../context.ts";
import type { RuntimeEntry } from "../runtimes.ts";

export interface SkillParts extends Pick<DaemonContext, "env" | "logger"> {
  readonly home: string;
}

/** The user's skills and MCP servers for a runtime's agent (daemon.md 17.1, 17.3). Never throws. */
export async function localSkillsOf({ env, home, logger }: SkillParts, { provider }: RuntimeEntry): Promise<LocalSkillsResult> {
  const spec = findProvider(provider);
  const host = { env, home };
  try {
    const skills = spec === undefined ? null : await listLocalSkills(spec, host);
    if (spec === undefined || skills === null) return { status: "completed", skills: [], supported: false };
    let servers: McpServerEntry[] | null = null;
    try {
      servers = await listMcpServers(spec, host);
    } catch (error) {
      // The skills are delivered all the same.
      logger.warn("the MCP servers of an agent cannot be read", { provider, error: errorText(error) });
    }
    return { status: "completed", skills, supported: true, mcp_servers: servers ?? [], mcp_supported: servers !== null };
  } catch (error) {
    return { status: "failed", skills: [], supported: true, error: errorText(error) };
  }
}

/** One local skill with its files, for the workspace (daemon.md 17.2). Never throws. */
export async function importOf({ env, home, logger }: SkillParts, { provider }: RuntimeEntry, key: string): Promise<LocalSkillImportResult> {
  const spec = findProvider(provider);
  if (spec === undefined) return { status: "failed", error: `local skills of provider "${provider}" are not supported` };
  try {
    const skipped = (path: string, why: string): void => logger.info("a file of the skill is left out", { skill: key, path, why });
    return { status: "completed", skill: await readLocalSkill({ spec, key, host: { env, home }, skipped }) };
  } catch (error) {
    return { status: "failed", error: errorText(error) };
  }
}

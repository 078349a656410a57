import { basename, isAbsolute, join } from "node:path";
import { MulticaError, documentHead } from "../../core/index.ts";
import type { ImportedSkill, LocalSkill, McpServerEntry } from "../../wire/index.ts";
import type { ProviderSpec } from "../provider.ts";
import { mainDocument, supportingFiles } from "./content.ts";
import type { InventoryHost, LocalInventory } from "./types.ts";
import { type FoundSkill, findSkills } from "./walk.ts";

interface Root {
  readonly kind: "provider" | "universal";
  readonly path: string;
}

/** The agent's own root, then the one that all agents share. */
function rootsOf(inventory: LocalInventory, host: InventoryHost): Root[] {
  return [
    { kind: "provider", path: inventory.skillsRoot(host) },
    { kind: "universal", path: join(host.home, ".agents", "skills") },
  ];
}

/**
 * The skills the user keeps for an agent, by key (daemon.md 17.1). The first root that has a key wins; one that cannot be
 * read is left out. Null: this provider has no place of its own. Throws when a root cannot be read.
 */
export async function listLocalSkills(spec: ProviderSpec, host: InventoryHost): Promise<LocalSkill[] | null> {
  if (spec.inventory === null) return null;
  const skills = new Map<string, LocalSkill>();
  for (const root of rootsOf(spec.inventory, host)) {
    for (const found of await findSkills(root.path)) {
      if (skills.has(found.key)) continue;
      const skill = await describe(spec, spec.inventory, host, root, found);
      if (skill !== null) skills.set(found.key, skill);
    }
  }
  return [...skills.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function describe(spec: ProviderSpec, inventory: LocalInventory, host: InventoryHost, root: Root, found: FoundSkill): Promise<LocalSkill | null> {
  try {
    const head = documentHead(await mainDocument(found.directory));
    const files = await supportingFiles(found.directory);
    return {
      key: found.key,
      name: head.name || basename(found.key),
      ...(head.description === "" ? {} : { description: head.description }),
      source_path: shown(found.path, host.home),
      provider: spec.id,
      root: root.kind,
      ...(inventory.canDisable ? { can_disable: true } : {}),
      file_count: files.length + 1,
    };
  } catch {
    return null;
  }
}

export interface ImportRequest {
  readonly spec: ProviderSpec;
  readonly key: string;
  readonly host: InventoryHost;
  /** Told of every file that is left out. */
  readonly skipped?: (path: string, why: string) => void;
}

/**
 * One skill with its files (daemon.md 17.2), from the first root whose listing has it. Throws `bad_skill_key`,
 * `local_skill_not_found`, `skill_too_large`, `skill_unreadable`, or the system's error.
 */
export async function readLocalSkill(request: ImportRequest): Promise<ImportedSkill> {
  const { spec, host } = request;
  if (spec.inventory === null) throw new MulticaError("skills_unsupported", `local skills of provider "${spec.id}" are not supported`);
  const key = normalizedKey(request.key);
  for (const root of rootsOf(spec.inventory, host)) {
    const found = (await findSkills(root.path)).find((skill) => skill.key === key);
    if (found === undefined) continue;
    const content = await mainDocument(found.directory);
    const head = documentHead(content);
    return {
      name: head.name || basename(key),
      description: head.description,
      content,
      source_path: shown(found.path, host.home),
      provider: spec.id,
      files: (await supportingFiles(found.directory, request.skipped)).map((file) => ({ ...file })),
    };
  }
  throw new MulticaError("local_skill_not_found", "local skill not found");
}

function normalizedKey(key: string): string {
  const parts = key.trim().replaceAll("\\", "/").split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length === 0 || isAbsolute(key.trim()) || parts.includes("..")) throw new MulticaError("bad_skill_key", `invalid skill key ${JSON.stringify(key)}`);
  return parts.join("/");
}

/** MCP servers of the user's configuration, names only, sorted (daemon.md 17.3). Null: not supported for this provider. */
export async function listMcpServers(spec: ProviderSpec, host: InventoryHost): Promise<McpServerEntry[] | null> {
  const read = spec.inventory?.mcpServers ?? null;
  if (read === null) return null;
  const first = new Map<string, McpServerEntry>();
  for (const entry of await read(host)) if (!first.has(entry.name)) first.set(entry.name, entry);
  return [...first.values()].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
}

function shown(path: string, home: string): string {
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

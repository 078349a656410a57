import type { Env } from "../../platform/index.ts";
import type { McpServerEntry } from "../../wire/index.ts";

/** Whose files are looked at. */
export interface InventoryHost {
  readonly env: Readonly<Env>;
  readonly home: string;
}

/** What the user keeps for an agent on this machine (daemon.md 17). */
export interface LocalInventory {
  /** The agent's own directory of skills. */
  readonly skillsRoot: (host: InventoryHost) => string;
  /** Its skills can be switched off one by one. */
  readonly canDisable: boolean;
  /** Names of the MCP servers in its user configuration; throws when that cannot be read. Null: not known how. */
  readonly mcpServers: ((host: InventoryHost) => Promise<McpServerEntry[]>) | null;
}

import { isObject, parseJson } from "../lib/core/index.ts";
import { switchFlag, textFlag } from "./flags.ts";
import { usage } from "./resolve.ts";
import { readSecret } from "./secret-input.ts";

/** The sources of one MCP server's configuration; it may hold credentials. */
export const serverConfigFlags = {
  "server-config": textFlag("how it is started or reached, as a JSON object; prefer --server-config-stdin", { helpValue: "<json>" }),
  "server-config-stdin": switchFlag("read the JSON object from standard input"),
  "server-config-file": textFlag("read the JSON object from a file", { helpValue: "<path>" }),
};

interface ServerConfigValues {
  readonly "server-config"?: string | undefined;
  readonly "server-config-stdin": boolean;
  readonly "server-config-file"?: string | undefined;
}

/** The configuration from one source at most; errors never quote it (cli.md 4.9.2). */
export async function serverConfig(flags: ServerConfigValues, cwd: string): Promise<Record<string, unknown> | undefined> {
  const sources = { inline: flags["server-config"], stdin: flags["server-config-stdin"], file: flags["server-config-file"] };
  const text = await readSecret({ name: "server-config", ...sources, cwd });
  if (text === undefined) return undefined;
  if (text.trim() === "") throw usage("the server configuration is blank", "multica workspace mcp remove takes a server away.");
  const value = parseJson(text);
  if (isObject(value)) return value;
  throw usage("the server configuration must be a JSON object");
}

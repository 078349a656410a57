import { parseJson } from "../../../core/index.ts";
import { type CatalogueEntry, catalogueEntrySchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { HttpError } from "../../http-error.ts";
import { asciiLower } from "../issue-list.ts";
import { fetchBytes } from "./fetch.ts";

const MAX_BYTES = 4 * 1024 * 1024;
const MAX_HITS = 50;

/**
 * Entries of the catalogue whose name or description has every word of the query, names first (server-api.md 13.11).
 * Throws 502 when there is no catalogue or it does not answer.
 */
export async function searchCatalogue(ctx: ServerContext, query: string): Promise<CatalogueEntry[]> {
  if (ctx.skillCatalogue === undefined) throw new HttpError(502, "this server has no catalogue of skills");
  // Whoever runs the server chose the address: it may lie in its own network.
  const list = parseJson((await fetchBytes({ clock: ctx.clock, local: true }, ctx.skillCatalogue, MAX_BYTES)).toString("utf8"));
  if (!Array.isArray(list)) throw new HttpError(502, "the catalogue of skills is not a list");
  const words = asciiLower(query).split(/\s+/).filter((word) => word !== "");
  const has = (text: string): boolean => words.every((word) => asciiLower(text).includes(word));
  // One bad entry must not hide the others.
  const entries = list.flatMap((entry) => catalogueEntrySchema.safeParse(entry).data ?? []);
  const hits = entries.filter((entry) => has(`${entry.name} ${entry.description}`));
  return [...hits.filter((entry) => has(entry.name)), ...hits.filter((entry) => !has(entry.name))].slice(0, MAX_HITS).map(wireEntry);
}

function wireEntry({ name, url, source, repo, install_count, github_stars, description }: CatalogueEntry): CatalogueEntry {
  return { name, url, source, repo, install_count, github_stars, description };
}

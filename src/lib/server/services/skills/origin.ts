import { isObject, parseJson } from "../../../core/index.ts";
import type { ServerContext } from "../../context.ts";
import { badRequest } from "../../http-error.ts";
import type { SkillRow } from "../../rows/index.ts";
import { fetchBytes } from "./fetch.ts";
import { type UnpackedSkill, unpackSkill } from "./unpack.ts";

/** Where a skill came from; kept in its settings. */
export interface SkillOrigin {
  readonly type: "url" | "archive";
  readonly url?: string;
  readonly filename?: string;
}

/** Fetches the skill behind an address. Throws 400, 413 and 502. */
export async function fetchSkill(ctx: ServerContext, address: string): Promise<UnpackedSkill> {
  const { url, folder, name } = archiveAddress(address);
  return unpackSkill(await fetchBytes(ctx, url, ctx.limits.bodyBytes), name, folder);
}

/** The address a skill can be fetched from again; 400 when it has none. */
export function originUrl(skill: SkillRow): string {
  const config: unknown = parseJson(skill.config);
  const origin = isObject(config) && isObject(config["origin"]) ? config["origin"] : {};
  if (origin["type"] === "url" && typeof origin["url"] === "string") return origin["url"];
  throw badRequest("the skill was not imported from an address");
}

/** The skill's settings with where it came from; other settings stay. */
export function withOrigin(before: string | undefined, origin: SkillOrigin): Record<string, unknown> {
  const config: unknown = before === undefined ? {} : parseJson(before);
  return { ...(isObject(config) ? config : {}), origin };
}

/**
 * What is fetched for an address that people copy: a directory (or its SKILL.md) on GitHub is a folder in the archive of
 * its repository; every other address is fetched as it stands.
 */
export function archiveAddress(address: string): { url: string; folder: string; name: string } {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const segments = (url?.pathname ?? "").split("/").filter((segment) => segment !== "").map(decoded);
  const plain = { url: address, folder: "", name: segments.at(-1) ?? "" };
  if (url?.hostname !== "github.com") return plain;
  const [owner, repo, verb, ref = "HEAD", ...path] = segments;
  if (owner === undefined || repo === undefined || (verb !== undefined && verb !== "tree" && verb !== "blob")) return plain;
  const folder = verb === "blob" ? path.slice(0, -1) : path;
  const name = repo.replace(/\.git$/, "");
  const archive = `https://codeload.github.com/${[owner, name, "zip", ref].map(encodeURIComponent).join("/")}`;
  return { url: archive, folder: folder.join("/"), name: folder.at(-1) ?? name };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

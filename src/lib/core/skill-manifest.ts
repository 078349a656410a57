import { sha256Hex } from "./ids.ts";

/** A skill's parts as they are transmitted: every byte counts, nothing is trimmed. */
export interface SkillParts {
  readonly source: string;
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly content: string;
  readonly files: readonly { readonly path: string; readonly content: string }[];
}

export interface SkillManifest {
  /** `sha256:` and lower-case hex, over everything in the skill. */
  readonly hash: string;
  /** Bytes of the main document and of all files. */
  readonly sizeBytes: number;
  /** Sorted by path, bytewise. */
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly sizeBytes: number }[];
}

/**
 * Hash and sizes of a skill bundle, the same on both sides of the wire (server-api.md 7.2): length-prefixed parts, files
 * in the order of their paths' bytes. The order of the input files does not matter.
 */
export function skillManifest(skill: SkillParts): SkillManifest {
  const files = skill.files
    .map((file) => ({ path: file.path, content: file.content, digest: `sha256:${sha256Hex(file.content)}` }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const parts = ["v1", skill.source, skill.id, skill.name, skill.description, skill.content];
  for (const file of files) parts.push(file.path, file.digest, file.content);
  const encoded = parts.map((part) => `${Buffer.byteLength(part)}:${part}\n`).join("");
  const sizes = files.map((file) => ({ path: file.path, sha256: file.digest, sizeBytes: Buffer.byteLength(file.content) }));
  return {
    hash: `sha256:${sha256Hex(encoded)}`,
    sizeBytes: sizes.reduce((sum, file) => sum + file.sizeBytes, Buffer.byteLength(skill.content)),
    files: sizes,
  };
}

/** Where a skill comes from when nothing says so: without an id it is one of the program's own (server-api.md 7.1). */
export function skillSource(source: string | null | undefined, id: string | null | undefined): string {
  if (source !== null && source !== undefined && source !== "") return source;
  return id === null || id === undefined || id === "" ? "builtin" : "workspace";
}

import { stringify } from "smol-toml";
import { isObject } from "../../../core/index.ts";

/** A value on one line; keys keep their order. */
export function inlineToml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inlineToml).join(", ")}]`;
  if (isObject(value) && !(value instanceof Date)) return Object.keys(value).length === 0 ? "{}" : `{ ${Object.entries(value).map(([key, item]) => `${tomlKey(key)} = ${inlineToml(item)}`).join(", ")} }`;
  return stringify({ v: value }).trim().replace(/^v = /, "");
}

/** A key as it stands before `=` or in a header. */
export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : inlineToml(key);
}

import { isObject, parseJson } from "../../core/index.ts";

/** A JSON object column; anything else in it reads as `{}`. */
export function objectColumn(text: string | null): Record<string, unknown> {
  const value = text === null ? undefined : parseJson(text);
  return isObject(value) ? value : {};
}

/** A JSON array of strings; other elements are dropped. */
export function stringsColumn(text: string): string[] {
  const value = parseJson(text);
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** A JSON array of objects; other elements are dropped. */
export function objectsColumn(text: string): Record<string, unknown>[] {
  const value: unknown = parseJson(text);
  return Array.isArray(value) ? (value as unknown[]).filter(isObject) : [];
}

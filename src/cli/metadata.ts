import { parseJson } from "../lib/core/index.ts";
import { usage } from "./resolve.ts";

/**
 * A metadata value as it is sent (cli.md 5.8): a text that is a JSON string, number or boolean counts as such, all else
 * stays text. With a type the text must fit it (exit 2).
 */
export function metadataValue(text: string, type?: string): string | number | boolean {
  if (type === "string") return text;
  const value = parseJson(text);
  if (type === "number") {
    if (typeof value === "number") return value;
    throw usage(`--value ${JSON.stringify(text)} is not a number`);
  }
  if (type === "bool") {
    if (text === "true" || text === "false") return text === "true";
    throw usage("--value must be true or false with --type bool");
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : text;
}

/** `issue list --metadata`: `key=value` pairs as the one JSON object that servers take. */
export function metadataFilter(pairs: readonly string[]): string | undefined {
  const filter = new Map<string, string | number | boolean>();
  for (const pair of pairs) {
    const cut = pair.indexOf("=");
    if (cut < 1) throw usage(`--metadata ${JSON.stringify(pair)} is not key=value`);
    const key = pair.slice(0, cut);
    if (filter.has(key)) throw usage(`--metadata names ${JSON.stringify(key)} twice`);
    filter.set(key, metadataValue(pair.slice(cut + 1)));
  }
  return filter.size === 0 ? undefined : JSON.stringify(Object.fromEntries(filter));
}

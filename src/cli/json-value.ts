import { usage } from "./resolve.ts";

/** A flag's JSON. Bad JSON is refused without quoting it: it may hold a secret. */
export function jsonFlagValue(flag: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw usage(`${flag} is not JSON`);
  }
}

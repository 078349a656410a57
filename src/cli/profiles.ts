import { type Env, listProfiles, stateRoot } from "../lib/config/index.ts";

/** The profiles of this user, sorted. */
export function knownProfiles(input: { readonly env: Env; readonly home: string }): string[] {
  return listProfiles(stateRoot(input.env, input.home));
}

import { join } from "node:path";
import { readRegularFile } from "../../platform/index.ts";
import { type UnpushedWork, findCheckouts, gitDirectories } from "../../repos/index.ts";

export interface CheckoutView {
  /** Absolute. */
  readonly path: string;
  /** linked: its commits are in a repository elsewhere · isolated: it has a git directory of its own · broken: it has none. */
  readonly mode: "linked" | "isolated" | "broken";
  /** Empty for a detached HEAD. */
  readonly branch: string;
  /** What exists nowhere else, in words; null: nothing does. */
  readonly work: string | null;
}

/** The git checkouts below a directory, by looking only: an agent wrote everything there. */
export async function listCheckouts(directory: string, work: readonly UnpushedWork[]): Promise<CheckoutView[]> {
  const views: CheckoutView[] = [];
  for (const path of findCheckouts(directory).checkouts) {
    const place = gitDirectories(path);
    const head = place === null ? undefined : await readRegularFile(join(place.own, "HEAD")).catch(() => undefined);
    const branch = /^ref: refs\/heads\/(\S+)\s*$/.exec(head?.toString("utf8") ?? "")?.[1] ?? "";
    const mode = place === null ? "broken" : place.own === place.common ? "isolated" : "linked";
    views.push({ path, mode, branch, work: work.find((one) => one.path === path)?.what ?? null });
  }
  return views;
}

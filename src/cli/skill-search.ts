import { isStatus, serverMessage } from "../lib/api/errors.ts";
import { createSkillApi } from "../lib/api/user-api-skill.ts";
import type { CatalogueEntry } from "../lib/wire/index.ts";
import { withMessage } from "./errors.ts";
import type { Session } from "./session.ts";

/** Entries of the server's catalogue; when that cannot be asked (502), the error says so instead of blaming the server. */
export async function searchSkills(session: Session, query: string): Promise<CatalogueEntry[]> {
  return createSkillApi(session.http).search(query).catch((error: unknown) => {
    if (!isStatus(error, 502)) throw error;
    throw withMessage(error, serverMessage(error.body) ?? "the catalogue of skills cannot be reached");
  });
}

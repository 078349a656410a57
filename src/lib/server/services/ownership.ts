import { HttpError } from "../http-error.ts";
import type { Scope } from "../http/scope.ts";
import type { Tx } from "../transaction.ts";
import { originatorOf } from "./tasks/permission.ts";

/**
 * The person a caller acts for: themselves, or, for an agent, who began its chain of runs. That is not always the owner of
 * the machine the agent runs on, whose name its token bears.
 */
function personOf(db: Tx["db"], scope: Scope): string | null {
  return originatorOf(db, scope.actor);
}

/** The same; 403 when nobody is known: what is made must belong to somebody. */
export function requirePerson(db: Tx["db"], scope: Scope): string {
  const person = personOf(db, scope);
  if (person === null) throw new HttpError(403, "insufficient permissions");
  return person;
}

/** Whether the caller may change what belongs to `ownerId`: its owner, or a person who manages the workspace. */
export function mayChange(db: Tx["db"], scope: Scope, ownerId: string | null): boolean {
  if (ownerId !== null && ownerId === personOf(db, scope)) return true;
  // The rank of the person behind an agent is not the agent's.
  return scope.actor.type === "member" && scope.role !== "member";
}

/** 403 unless `mayChange`. */
export function requireOwner(db: Tx["db"], scope: Scope, ownerId: string | null): void {
  if (!mayChange(db, scope, ownerId)) throw new HttpError(403, "insufficient permissions");
}

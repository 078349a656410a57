import type { Squad, SquadInput, SquadMember } from "../wire/index.ts";
import type { Http } from "./http.ts";
import { listIn, typedCall } from "./typed-call.ts";

interface MemberKey {
  readonly member_type: string;
  readonly member_id: string;
}

/** Squads and who is in them (server-api.md 13.12). */
export function createSquadApi(http: Http) {
  const call = typedCall(http);
  const path = (id: string): string => `/api/squads/${encodeURIComponent(id)}`;
  return {
    list: async () => listIn<Squad>(await call("GET", "/api/squads"), "squads"),
    get: (id: string) => call<Squad>("GET", path(id)),
    create: (body: SquadInput) => call<Squad>("POST", "/api/squads", { body }),
    update: (id: string, body: SquadInput) => call<Squad>("PUT", path(id), { body }),
    remove: (id: string) => call<null>("DELETE", path(id)),
    members: async (id: string) => listIn<SquadMember>(await call("GET", `${path(id)}/members`), "members"),
    addMember: (id: string, body: MemberKey & { role: string }) => call<SquadMember>("POST", `${path(id)}/members`, { body }),
    removeMember: (id: string, body: MemberKey) => call<null>("DELETE", `${path(id)}/members`, { body }),
    setRole: (id: string, body: MemberKey & { role: string }) => call<SquadMember>("PATCH", `${path(id)}/members/role`, { body }),
  };
}

import type { Property, PropertyInput } from "../wire/index.ts";
import type { Http } from "./http.ts";
import { listIn, typedCall } from "./typed-call.ts";

type Values = Readonly<Record<string, unknown>>;

/** The workspace's custom properties and their values on issues (server-api.md 13.4). Only newer servers have them. */
export function createPropertyApi(http: Http) {
  const call = typedCall(http);
  const id = encodeURIComponent;
  const value = (issue: string, property: string): string => `/api/issues/${id(issue)}/properties/${id(property)}`;
  return {
    list: async (archived: boolean) => listIn<Property>(await call("GET", "/api/properties", archived ? { query: { include_archived: true } } : {}), "properties"),
    create: (body: PropertyInput) => call<Property>("POST", "/api/properties", { body }),
    update: (property: string, body: PropertyInput) => call<Property>("PATCH", `/api/properties/${id(property)}`, { body }),
    setValue: async (issue: string, property: string, body: { value: unknown }) =>
      (await call<{ properties?: Values } | null>("PUT", value(issue, property), { body }))?.properties ?? {},
    unsetValue: async (issue: string, property: string) => (await call<{ properties?: Values } | null>("DELETE", value(issue, property)))?.properties ?? {},
  };
}

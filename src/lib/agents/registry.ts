import { MulticaError } from "../core/index.ts";
import type { ProviderSpec } from "./provider.ts";
import { acp } from "./providers/acp.ts";
import { codex } from "./providers/codex.ts";

/** Every provider, by id. Detection, profiles, argument filters and launches iterate over this and nothing else. */
export const providers: Readonly<Record<string, ProviderSpec>> = Object.fromEntries([acp, codex].map((spec) => [spec.id, spec]));

/** The provider with this id, or undefined. */
export function findProvider(id: string): ProviderSpec | undefined {
  return Object.hasOwn(providers, id) ? providers[id] : undefined;
}

/** The provider with this id; `unknown_provider` names those there are. */
export function getProvider(id: string): ProviderSpec {
  const spec = findProvider(id);
  if (spec !== undefined) return spec;
  throw new MulticaError("unknown_provider", `unknown agent provider "${id}" (supported: ${Object.keys(providers).sort().join(", ")})`);
}

/** Ids that a custom profile may name as its protocol family (agents.md 1). */
export function profileFamilies(): string[] {
  return Object.values(providers)
    .filter((spec) => spec.profileFamily)
    .map((spec) => spec.id)
    .sort();
}

export { type EnsureOptions, type RepoCache, type RepoCacheOptions, createRepoCache } from "./cache.ts";
export type { CheckoutRequest, CheckoutResult } from "./checkout.ts";
export type { CloneProgress } from "./clone.ts";
export { coAuthorEnabled } from "./commit-hook.ts";
export type { Collected, CollectRequest } from "./collect.ts";
export type { CheckoutMode } from "./existing.ts";
export type { MaintenanceReport, MaintenanceRequest } from "./maintain.ts";
export {
  type Readiness,
  type RefreshOutcome,
  type RepoRegistry,
  type RepoRegistryOptions,
  type TaskRepo,
  type WorkspaceRepos,
  createRepoRegistry,
} from "./registry.ts";
export { findCheckouts, gitDirectories } from "./below.ts";
export { branchName } from "./names.ts";
export { type MovedWork, moveAside } from "./kept.ts";
export { type Salvage, type SalvageRequest, type SavedWork, salvageCheckouts } from "./salvage.ts";
export { type UnpushedWork, findUnpushedWork, onlyIgnored } from "./unpushed.ts";
export type { CacheEntry } from "./inventory.ts";
export { type CacheReport, type KeptWork, type RepoKeeper, createRepoKeeper } from "./keeper.ts";
export { findRescue } from "./rescue-refs.ts";
export { type UserTreeRequest, createUserTree } from "./user-tree/create.ts";
export { type TreeEnd, discardUserTree, finishUserTree } from "./user-tree/finish.ts";
export type { TreeMachine, UserTree } from "./user-tree/types.ts";

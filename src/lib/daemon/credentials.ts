import { sha256Hex } from "../core/index.ts";

/** What a task token stands for on the local port: identity comes from here, never from a request body. */
export interface TaskCredential {
  readonly workspaceId: string;
  readonly taskId: string;
  readonly agentId: string;
  readonly agentName: string;
  /** Absolute working directory of the task; checkouts must lie inside. */
  readonly workdir: string;
  /** Absolute environment root. */
  readonly envRoot: string;
  /** What the task works on; its processes belong to the conversation about it. */
  readonly issueId?: string;
}

/** Task tokens of running tasks (daemon.md 13.1). */
export interface Credentials {
  /** Makes `token` valid until the returned function is called (idempotent). */
  register(token: string, credential: TaskCredential): () => void;
  /** The same for a token that only its SHA-256 is known of: an agent's that outlived an earlier daemon. */
  recognise(hash: string, credential: TaskCredential): () => void;
  find(token: string): TaskCredential | null;
  /** Aborted when this credential is not valid any more: what was let in with it is shown out. */
  until(credential: TaskCredential): AbortSignal;
  readonly size: number;
}

/**
 * Keeps only SHA-256 digests: a memory dump or a log of this registry gives no token away,
 * and a look-up by digest leaks no timing about the token itself.
 */
export function createCredentials(): Credentials {
  const byHash = new Map<string, TaskCredential>();
  const ends = new WeakMap<TaskCredential, AbortController>();
  const recognise = (hash: string, credential: TaskCredential): (() => void) => {
    byHash.set(hash, credential);
    ends.set(credential, new AbortController());
    return () => {
      if (byHash.get(hash) === credential) byHash.delete(hash);
      ends.get(credential)?.abort();
    };
  };
  return {
    recognise,
    register: (token, credential) => recognise(sha256Hex(token), credential),
    until: (credential) => ends.get(credential)?.signal ?? AbortSignal.abort(),
    find: (token) => (token === "" ? null : (byHash.get(sha256Hex(token)) ?? null)),
    get size() {
      return byHash.size;
    },
  };
}

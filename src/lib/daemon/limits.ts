/** Fixed times and sizes of the daemon, milliseconds unless named otherwise (daemon.md 19). Tests pass shorter ones. */
export interface Limits {
  readonly slotWait: number;
  readonly capacityBackoffMax: number;
  readonly batchClaimTimeout: number;
  readonly singleClaimTimeout: number;
  readonly tasksPerClaim: number;
  readonly socketBackoffBase: number;
  readonly socketBackoffMax: number;
  readonly socketHealthy: number;
  readonly socketNoRuntimesWait: number;
  readonly reconcileDebounce: number;
  readonly heartbeatTimeout: number;
  /** Hints of waiting work: the least time between two, the limit of the heartbeat they cause, how long they are remembered. */
  readonly hintSpacing: number;
  readonly hintTimeout: number;
  readonly hintKept: number;
  /** What an answer over the socket gets on top of the budget the server has for it. */
  readonly rpcGrace: number;
  /** After a claim nobody knows the outcome of. */
  readonly uncertainWindow: number;
  /** How often to look whether the machine has slept, and the gap that counts as sleep. */
  readonly sleepLook: number;
  readonly sleepGap: number;
  readonly syncDedicated: number;
  readonly syncLegacy: number;
  readonly syncMax: number;
  readonly syncTimeout: number;
  readonly profileRefreshTimeout: number;
  readonly repoRefreshTimeout: number;
  readonly registerTimeout: number;
  readonly goneAttemptWindow: number;
  readonly goneFailurePause: number;
  readonly renewEvery: number;
  readonly renewTimeout: number;
  readonly deregisterTimeout: number;
  /** What running tasks get to finish before they are cancelled, when the daemon is asked to stop with patience. */
  readonly finishFirst: number;
  readonly taskDrain: number;
  /** What the delivery of reports gets at the end, however long the tasks took. */
  readonly lastReports: number;
  /** Results of a runtime are delivered before the server is told that its tasks are orphans: at most so long at once, … */
  readonly reportFlush: number;
  /** … again after this, … */
  readonly reportFlushAgain: number;
  /** … and in all. */
  readonly reportFlushPatience: number;
  readonly loopsEnd: number;
  readonly loginShellEvery: number;
  /** How often to look for agents that were installed meanwhile. */
  readonly discovery: number;
  /** How often to ask all agents for their versions. */
  readonly versionRefresh: number;
  /** A program that cannot be executed is believed to be so after this time. */
  readonly notExecutableFor: number;
  /** How often to look at the settings file where the system does not tell of changes. */
  readonly settingsPoll: number;
  readonly gcFirst: number;
  /** How often all Codex homes are looked through for changed sessions. */
  readonly indexRefresh: number;
  readonly checkoutLockWait: number;
  readonly checkoutRetryAfterSeconds: number;
  readonly localBodyBytes: number;
  readonly localReceive: number;
  readonly leftoverGrace: number;
}

const MINUTE = 60_000;

export const LIMITS: Limits = {
  slotWait: 2000,
  capacityBackoffMax: 5000,
  batchClaimTimeout: 5000,
  singleClaimTimeout: 30_000,
  tasksPerClaim: 32,
  socketBackoffBase: 1000,
  socketBackoffMax: 30_000,
  socketHealthy: 10_000,
  socketNoRuntimesWait: 5000,
  reconcileDebounce: 1000,
  heartbeatTimeout: 30_000,
  hintSpacing: 1000,
  hintTimeout: 15_000,
  hintKept: 10 * MINUTE,
  rpcGrace: 2000,
  uncertainWindow: 7000,
  sleepLook: 15_000,
  sleepGap: 30_000,
  syncDedicated: 30 * MINUTE,
  syncLegacy: 5 * MINUTE,
  syncMax: 30 * MINUTE,
  syncTimeout: 15_000,
  profileRefreshTimeout: 30_000,
  repoRefreshTimeout: 30_000,
  registerTimeout: 30_000,
  goneAttemptWindow: 30_000,
  goneFailurePause: MINUTE,
  renewEvery: 3 * 24 * 60 * MINUTE,
  renewTimeout: 15_000,
  deregisterTimeout: 5000,
  finishFirst: 20_000,
  taskDrain: 30_000,
  lastReports: 3000,
  reportFlush: 30_000,
  reportFlushAgain: 30_000,
  reportFlushPatience: 10 * MINUTE,
  loopsEnd: 5000,
  loginShellEvery: 30 * MINUTE,
  discovery: 2 * MINUTE,
  versionRefresh: 10 * MINUTE,
  notExecutableFor: MINUTE,
  settingsPoll: 2000,
  gcFirst: 30_000,
  indexRefresh: 10 * MINUTE,
  checkoutLockWait: 10_000,
  checkoutRetryAfterSeconds: 2,
  localBodyBytes: 1024 * 1024,
  localReceive: 10_000,
  leftoverGrace: 10_000,
};

import { casesAreProven, type Proof } from "../../support/cases.ts";

const BACKGROUND = "integration/daemon/background.test.ts";
const CONTROL = "unit/daemon/control.test.ts";
const LIFE = "unit/daemon/life.test.ts";
const SIGNALS = "e2e/stop-signals.test.ts";
const MOODS = "integration/daemon/server-moods.test.ts";
const PORT = "integration/daemon/local-port.test.ts";
const CHECKOUTS = "integration/daemon/checkouts.test.ts";
const WAITS = "integration/daemon/checkout-waits.test.ts";
const TABLE = "unit/execenv/gc-decision.test.ts";
const ASK = "integration/api/gc-check.test.ts";
const LOOP = "integration/daemon/gc-loop.test.ts";
const GC = "integration/execenv/gc.test.ts";
const SPACE = "integration/execenv/gc-space.test.ts";
const MAINTAIN = "integration/repos/maintain.test.ts";
const DISK = "integration/cli/disk-usage.test.ts";
const UPDATES = "integration/daemon/updates.test.ts";
const FOUND = "a program that was replaced on disk";

const PROVEN: Readonly<Record<string, Proof | readonly Proof[]>> = {
  "L-1": [BACKGROUND, "answers when the daemon can work, and stops it again"],
  "L-2": [[BACKGROUND, "answers when the daemon can work"], [MOODS, "answers on the local port meanwhile, as starting"]],
  "L-3": [[BACKGROUND, "with exit 6, and shows only this attempt's lines"], [CONTROL, "shows what this attempt said above info"]],
  "L-4": [[BACKGROUND, "spawns nothing without a token"], [BACKGROUND, "leaves the running daemon alone when the token is rejected"]],
  "L-5": [BACKGROUND, "leaves the running daemon alone when the token is rejected, the server is away"],
  "L-6": [[BACKGROUND, "does not touch a daemon of another profile"], [BACKGROUND, "refuses a health answer whose profile is"], [BACKGROUND, "accepts an older daemon that does not name its profile"]],
  "L-7": [[PORT, "answers before the listener closes"], [PORT, "answers 405 to a wrong method"]],
  "L-8": [[BACKGROUND, "signals a daemon that it may not ask"], [BACKGROUND, "kills one that neither listens nor answers any more"]],
  "L-9": ["integration/platform/logger.test.ts", "turns over at its size, packs what was written, and keeps so many"],
  "L-10": [LIFE, "has its default size for everything that is no positive number"],
  "L-11": [LIFE, "is rolled when it is large, and appended to when it is small"],
  "L-12": [[BACKGROUND, "names the address when a foreign program has the port"], ["e2e/bad-input.test.ts", "refuses a second daemon (7) and a port that is taken (7), and leaves the first alone"]],
  "L-13": [CONTROL, "are exactly those that were given"],
  "L-14": [SIGNALS, "second: what runs is cancelled with its grace, and reported"],
  "L-15": ["unit/daemon/capacity.test.ts", "waits for tasks no longer than it is told"],
  "L-16": [MOODS, "is not told about runtimes that a successor has taken over"],
  "L-17": ["integration/daemon/outbox/kill.test.ts", "loses and repeats nothing, whichever step it dies at"],
  "L-18": [BACKGROUND, "ends the agents of the killed daemon before it claims"],
  "B-1": [MOODS, "answers on the local port meanwhile, as starting"],
  "B-2": [WAITS, "does not keep the daemon from saying how it is within a second"],
  "B-3": [PORT, "answers health to everybody on this machine and shows no secret"],
  "B-4": [PORT, "refuses an Origin and a foreign Host on"],
  "B-5": [[PORT, "is the operator's only"], [PORT, "answers before the listener closes"], [PORT, "answers 405 to a wrong method"]],
  "B-6": [[PORT, "needs the token of a running task"], [WAITS, "is refused when the task's credential has ended"]],
  "B-7": [PORT, "refuses another task, another workspace and another task's directory"],
  "B-8": [PORT, "refuses another task, another workspace and another task's directory"],
  "B-9": [PORT, "checks a listed repository out on the task's branch"],
  "B-10": [[PORT, "refuses one that is not listed"], [WAITS, "starts at the claim's revision unless another one is asked for, and only for that task"]],
  "B-11": [WAITS, "is told to come back, by both headers"],
  "B-12": [WAITS, "whose caller went away makes no checkout later"],
  "B-13": [CHECKOUTS, "follows the workspace's co-author setting at once"],
  "B-14": [PORT, "checks the body: JSON, fields, mode, size, type"],
  "B-15": [BACKGROUND, "another profile or another home on the same port"],
  "G-1": [[LOOP, "collects 30 s after the start"], [TABLE, "issue done just now"], [TABLE, "issue open, task ended long ago"]],
  "G-2": [GC, "deletes what is finished, keeps what is not or cannot be told"],
  "G-3": [TABLE, "chat deleted"],
  "G-4": [TABLE, "autopilot run going on"],
  "G-5": [[ASK, "an error no answer (G-5)"], [TABLE, "no answer"]],
  "G-6": [TABLE, "issue in an unknown state, completed rule on"],
  "G-7": [LOOP, "leaves alone what a task has marked, and takes it in the next cycle"],
  // The environment's lock is the reservation: whoever finds it held prepares afresh at once instead of waiting.
  "G-8": ["integration/daemon/task/pipeline.test.ts", "starts fresh when the prior directory belongs to a running task (K-18)"],
  "G-9": [SPACE, "are directories, never what a link leads to, never inside .git"],
  "G-10": ["integration/execenv/commands.test.ts", "and never what links point at"],
  "G-11": [[TABLE, "user's directory, issue done"], [TABLE, "artifact rule off, user's directory, issue done"]],
  "G-12": [GC, "spares caches and strangers"],
  "G-13": [[ASK, "asks for 700 issues of 1200 roots in two batches"], [ASK, "does not ask its issues one by one"]],
  "G-14": [ASK, "keeps what it cannot ask about (G-14)"],
  "G-15": [[MAINTAIN, "deletes branches of checkouts that are gone"], [MAINTAIN, "keeps a branch that is literally called agent"], [MAINTAIN, "packs nothing when nothing was deleted"]],
  "G-16": [[MAINTAIN, "ends at once, with everything it started, when agents are to start"], ["integration/daemon/task/repo-maintenance.test.ts", "with its process tree"]],
  "G-17": [MAINTAIN, "stays when it is claimed at the last moment"],
  "G-18": [GC, "go when nobody holds their lock; all others stay"],
  "G-19": [LOOP, "and says what it reclaimed"],
  "G-20": ["integration/execenv/local-directory.test.ts", "is put right by clean --sidecars, byte for byte"],
  "D-1": [DISK, "(D-1)"],
  "D-2": [DISK, "(D-2, D-3, D-5)"],
  "D-3": [DISK, "(D-2, D-3, D-5)"],
  "D-4": [DISK, "(D-4)"],
  "D-5": [DISK, "(D-2, D-3, D-5)"],
  "D-6": [DISK, "(D-6)"],
  "U-1": [UPDATES, "(U-1, U-2)"],
  "U-2": [UPDATES, "(U-1, U-2)"],
  "U-3": [UPDATES, "(U-3)"],
  "U-4": [UPDATES, "(U-4)"],
  "U-5": [UPDATES, "(U-5, U-13)"],
  "U-6": [UPDATES, "(U-6)"],
  "U-7": [UPDATES, "(U-7)"],
  "U-8": [UPDATES, "(U-8)"],
  "U-9": [UPDATES, FOUND],
  "U-10": [UPDATES, FOUND],
  "U-11": [UPDATES, FOUND],
  "U-12": ["unit/daemon/actions.test.ts", "is not repeated after an answer of the 4xx kind"],
  "U-13": [UPDATES, "(U-5, U-13)"],
};

casesAreProven({ what: "the acceptance cases of daemon.md 2 and 13 to 16", counts: { L: 18, B: 15, G: 20, D: 6, U: 13 }, proven: PROVEN, leftOut: {} });

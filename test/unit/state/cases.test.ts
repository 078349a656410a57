import { casesAreProven, type Proof } from "../../support/cases.ts";

const OPEN = "integration/state/open.test.ts";
const RUNS = "integration/state/runs.test.ts";
const TROUBLE = "integration/state/trouble.test.ts";
const DAMAGE = "integration/state/damage.test.ts";
const PASS = "integration/state/index-db/backfill.test.ts";
const TOGETHER = "integration/state/index-db/concurrency.test.ts";
const LOOKUP = "integration/state/index-db/lookup.test.ts";
const ROLLOUT = "unit/state/index-db/rollout.test.ts";
const DELIVERY = "integration/daemon/outbox/delivery.test.ts";
const SESSIONS = "integration/cli/sessions.test.ts";
const AGENTS = "agents/codex-sessions.test.ts";

/** The acceptance cases of the source change (A) and of ours (B), and what proves each (state-db.md 12 and 22). */
const PROVEN: Readonly<Record<string, Proof | readonly Proof[]>> = {
  "A-1": [LOOKUP, "has the row of an older thread before the opener returns"],
  "A-2": [TOGETHER, "waits for another process's backfill and then uses its rows"],
  "A-3": [TOGETHER, "gives up after its limit, naming who holds it, when the other never finishes"],
  "A-4": [LOOKUP, "returns a row's file of any name when it cannot be verified and nothing else carries the id"],
  "A-5": [LOOKUP, "does not take another thread's file, finds the right one and rebuilds both rows"],
  "A-6": [LOOKUP, "follows a file that was moved and repairs the row"],
  "A-7": [LOOKUP, "finds a file the index does not know and makes its row"],
  "A-8": [LOOKUP, "prefers a verified row of any name and place over a file found by name"],
  "A-9": [LOOKUP, "does not take another thread's file, finds the right one and rebuilds both rows"],
  "A-10": [[PASS, "filters alike with an index and without"], [LOOKUP, "lists the same threads as the index does, page by page"]],
  "A-11": [LOOKUP, "answers from the files with null, and makes no database, neither in the home nor beside it"],
  "A-12": [TOGETHER, "answers null and changes nothing without an index and with one that is not complete"],
  "A-13": [TOGETHER, "replaces a writer that lives but has been silent for longer than its lease, which then stops"],
  "A-14": [TOGETHER, "takes over at once from one that was killed, and does not read again what it had written"],
  "A-16": [OPEN, "the check of SQLite's own answers one line"],
  "A-17": [TOGETHER, "is used when that program allows it, and refused, untouched, when it does not"],
  "A-18": [PASS, "keeps a working directory in its normal form"],
  "A-19": [LOOKUP, "keeps a live thread live when a stale copy lies in the archive"],
  "B-1": ["unit/state/openers.test.ts", "lets only entry points name the openers; everything else takes a handle or null"],
  "B-2": [[SESSIONS, "make no database with --no-index, and answer the same"], ["integration/cli/state-file.test.ts", "makes nothing where nothing is"]],
  "B-3": [[OPEN, "gives eight processes that start at once one schema and no error"], [TOGETHER, "is migrated once, filled once, and all eight see the same rows and no lock"]],
  "B-4": [RUNS, "is refused beside a living one, naming its pid and port, and takes over at once when that is killed"],
  "B-5": [RUNS, "takes over from a zombie"],
  "B-6": [RUNS, "takes over from a holder whose pid belongs to another program by now"],
  "B-7": [[OPEN, "says nothing on stderr, no warning of an experiment either"], [SESSIONS, "answer the same on the oldest Node that is supported, and say nothing else"]],
  "B-8": [OPEN, "works with a newer file that allows it, and refuses one that does not, naming the version"],
  "B-9": [OPEN, "survives a kill in the middle of a migration: old schema, backup there, next start migrates"],
  "B-10": [DELIVERY, "go on in the next process where the last one died"],
  "B-11": [DELIVERY, "that came late lose nothing to a dead process: what arrived is not sent again"],
  "B-12": [DELIVERY, "are completed when a server stored the first half of a batch and failed"],
  "B-13": [[DELIVERY, "wait for a server that is away, and cost neither memory of attempts nor order"], ["integration/daemon/outbox/away.test.ts", "gets all five results in order when it is back, before it hears of orphans"]],
  "B-14": [DELIVERY, "401 stops everything, counts as no attempt, and ends with an accepted token"],
  "B-15": [DELIVERY, "a deleted task empties its lane and no other"],
  "B-16": [DELIVERY, "a permanent refusal of `complete` becomes one `fail` with the reason and everything known"],
  "B-17": [DELIVERY, "loses its oldest messages above the quota, counts them, and never loses a result"],
  "B-18": [DELIVERY, "lets a result overtake a backlog on a slow link after a minute"],
  "B-19": [[DELIVERY, "lets the server know of orphans only after its results, however long those take"], ["integration/daemon/outbox/away.test.ts", "gets them from the next daemon too, before it hears of orphans"]],
  "B-20": [[DAMAGE, "loses nothing that was committed before a cut of power"], [TROUBLE, "reaches the disk before the call returns when it says how a task ended or what it cost, and only then"]],
  "B-21": [["integration/daemon/leftovers.test.ts", "is ended by its identity with its children, also when it ignores SIGTERM"], ["integration/daemon/leftovers.test.ts", "is gone when the next daemon is ready, and its task is lost"]],
  "B-22": [[TROUBLE, "keeps reports in memory, delivers them from there, and is written again when there is room"], ["integration/daemon/outbox/away.test.ts", "brings no new tasks until there is room again, and the daemon says so"]],
  "B-23": [TROUBLE, "is written anew within half a minute, with the live task and its queue"],
  "B-24": [DAMAGE, "is kept aside, and its log says what was saved"],
  "B-25": [[TROUBLE, "do not keep the daemon from writing, or it writes as soon as it can"], [TROUBLE, "are named when the log cannot be brought in for them, and only then"]],
  "B-26": [[TROUBLE, "do not keep the daemon from writing, or it writes as soon as it can"], [RUNS, "never holds a writer up for long; the writes follow in order when it is free"]],
  "B-27": [[PASS, "reads a directory that many homes link to once, and knows all of them"], ["long/session-index.test.ts", "reads 5,000 rollouts once for 1,000 task homes that link to them, in less than a minute"]],
  "B-28": [[PASS, "knows a hard link for what it is: one thread, read once, both homes"], [PASS, "takes another name of a known file as it is: nothing is read again"]],
  "B-29": [TOGETHER, "takes over at once from one that was killed, and does not read again what it had written"],
  "B-30": [[TOGETHER, "gives up after its limit, naming who holds it, when the other never finishes"], [TOGETHER, "replaces a writer that lives but has been silent for longer than its lease, which then stops"]],
  "B-31": [[PASS, "follows files that grow, are replaced, vanish, or change their form"], [ROLLOUT, "counts garbage, passes over gaps and lines without end, and never takes half a line"]],
  "B-32": [PASS, "follows files that grow, are replaced, vanish, or change their form"],
  "B-33": [ROLLOUT, "reads what it needs of a file of 1 GiB in less than 100 ms, and of 2 GiB in less than 200 ms of work"],
  "B-34": [ROLLOUT, "takes title, first message, model and the last total from the %s history"],
  "B-35": [PASS, "follows a thread into the archive and back; a look-up in between repairs"],
  "B-36": [PASS, "shows every thread once and misses none over ten thousand equal times and inserts between pages"],
  "B-37": [LOOKUP, "[A1]"],
  "B-38": [["integration/state/index-db/foreign.test.ts", "reads beside a process that writes, and does not keep it from tidying its log"], [AGENTS, "keeps nothing of codex's locked"]],
  "B-39": [SESSIONS, "are refused inside a task: %s %s"],
  "B-40": [PASS, "lives in a thread of the daemon's, answers from there, and is rebuilt when its file is deleted"],
};

casesAreProven({
  what: "the acceptance cases of the state database",
  counts: { A: 19, B: 40 },
  proven: PROVEN,
  leftOut: { "A-15": "there is no command that prints an agent's prompt; no command opens a database it does not need (B-2)" },
});

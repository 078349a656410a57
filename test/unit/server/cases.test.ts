import { type Proof, casesAreProven } from "../../support/cases.ts";

const at = (file: string) => `integration/server/${file}.test.ts`;
const [LOGIN, ISSUE, FOLLOW_UP, FAILURES, GC, PROFILE] = [at("trace-1-registration"), at("trace-2-issue"), at("trace-3-follow-up"), at("trace-4-failures"), at("trace-5-gc"), at("trace-6-profile")];
const [QUEUE, CLAIM, LIFECYCLE, SWEEPER, DEFERRED, RULES] = [at("queue"), at("claim"), at("lifecycle"), at("sweeper"), at("deferred"), at("task-rules")];
const [CHAT, CANCELLED, SQUADS, AUTOPILOTS, QUICK, GENERATIONS] = [at("chat"), at("chat-cancel"), at("squads"), at("autopilots"), at("quick-create"), at("generations")];
const [STATES, RETRY, RESUME, ROUTING, CLASSIFY] = ["states", "retry", "resume", "routing", "classify"].map((name) => `unit/server/${name}.test.ts`) as [string, string, string, string, string];

/** The six acceptance traces of server-api.md 14.7 (T), and the rows of the fourth (F). */
const TRACES: Readonly<Record<string, Proof | readonly Proof[]>> = {
  "T-1": [LOGIN, "goes from a session to a registered runtime with a socket that answers its heartbeat"],
  "T-2": [ISSUE, "goes from the issue to the completed task, the agent acting with its own token"],
  "T-3": [FOLLOW_UP, "starts one run that continues the session, takes further comments in, and keeps the agent in its thread"],
  "T-4": [FAILURES, "trace 4: failures"],
  "T-5": [GC, "tells found from unknown issues in one call"],
  "T-6": [PROFILE, "is announced, registered as a runtime of its family, and withdrawn when it is disabled"],
  "F-1": [FAILURES, "delivers a task again after 90 s without a lease, fails it after 300 s, and retries once"],
  "F-2": [FAILURES, "recovers what a killed daemon held: the next claim carries session and directory"],
  "F-3": [FAILURES, "shows a cancellation at once, takes the acknowledgement, and leaves a late report without effect"],
  "F-4": [FAILURES, "ends the run of an issue that is deleted, and its token with it"],
  "F-5": [FAILURES, "tells a daemon whose runtime row was deleted, and gives it a new one"],
  "F-6": [FAILURES, "classifies a failure without a reason, does not retry it, and says so on the issue"],
  "F-7": [FAILURES, "runs two agents on one issue at the same time, but never one agent twice"],
  "F-8": [FAILURES, "claims nothing for 0, skips ids it does not know, and gives at most 32"],
  "F-9": [FAILURES, "keeps task tokens off the daemon's routes and in their own workspace"],
  "F-10": [FAILURES, "keeps task tokens off the daemon's routes and in their own workspace"],
  "F-11": [FAILURES, "answers unknown routes with the plain text and unknown ids with the texts daemons act on"],
};

/** The rows of 11.1 (M: moves), 11.2 (E: what enqueues) and the rules of 11.3 (C: claims). */
const TABLE: Readonly<Record<string, Proof | readonly Proof[]>> = {
  "M-1": [QUEUE, "starts the agent a new issue is assigned to, and tells its runtime after the commit"],
  "M-2": [[DEFERRED, "of a network failure comes at once, then after 5 s, then not at all"], [DEFERRED, "lets the issue's agent stand by for five minutes when a reply woke another one"]],
  "M-3": [RULES, "are promoted one a pair, and only while the runtime is healthy"],
  "M-4": [CLAIM, "hands a task out with everything a daemon needs, and a token of its own that is stored as a hash"],
  "M-5": [CLAIM, "delivers a task again when its daemon never began with it, before anything else"],
  "M-6": [CLAIM, "puts a task back whose payload cannot be built, and goes on with the others"],
  "M-7": [LIFECYCLE, "renews the lease of a dispatched or waiting task on its own runtime only"],
  "M-8": [LIFECYCLE, "renews the lease of a dispatched or waiting task on its own runtime only"],
  "M-9": [LIFECYCLE, "ends the run once: a second report changes nothing"],
  "M-10": [[LIFECYCLE, "classifies, writes to the issue and leaves its status when there is no retry"], [STATES, "lets a task become %s only from %j"]],
  "M-11": [SWEEPER, "lets the queue expire only while its runtime has been online all the time"],
  "M-12": [[QUEUE, "ends everything that is open on an issue or for an agent, and never a run that has ended"], [CLAIM, "cancels a task whose agent and issue belong to different workspaces"]],
  "E-1": [QUEUE, "leaves the backlog, people and agents without a runtime alone"],
  "E-2": [RULES, "is an assignment to a squad only while its leader can begin, and the issue says so otherwise"],
  "E-3": [QUEUE, "starts the new assignee and leaves the old one's run alone"],
  "E-4": [[QUEUE, "starts what leaves the backlog, and nothing for other moves"], [QUEUE, "does not let an agent start itself on the issue it works on, but on another one"]],
  "E-5": [QUEUE, "starts what leaves the backlog, and nothing for other moves"],
  "E-6": [RULES, "is no change to cancelled, which leaves the issue's runs alone as well"],
  "E-7": [[QUEUE, "wakes the parent's agent when the last sub-issue of a stage closes"], [RULES, "is the closing of a stage with all before it, but never for a parent that is closed, planned or a person's"]],
  "E-8": [[ROUTING, "a plain top-level comment wakes the assignee"], [SQUADS, "is who a plain comment, a mention of the squad and a rerun start"]],
  "E-9": [CHAT, "is claimed as a chat task and answered with what the run wrote"],
  "E-10": [[AUTOPILOTS, "run at once as a task of their own, whose end is theirs"], [AUTOPILOTS, "write an issue for their assignee, day after day under the same title"]],
  "E-11": [QUICK, "has an agent write the issue, ties it to the task and tells the person"],
  "E-12": [QUEUE, "replaces what is pending with a fresh session"],
  "C-1": [CLAIM, "delivers a task again when its daemon never began with it, before anything else"],
  "C-2": [DEFERRED, "that is due is promoted by the claim itself when nobody woke up for it"],
  "C-3": [CLAIM, "keeps within the agent's concurrency, a waiting task included"],
  "C-4": [
    [CLAIM, "takes the most urgent task first, then the oldest"],
    [CLAIM, "runs two agents on one issue at once, but never one agent twice"],
    [CHAT, "answers one turn at a time; what is said meanwhile is the next turn"],
    [QUICK, "runs one at a time per agent, and leads a squad's by its leader"],
  ],
  "C-5": [CLAIM, "gives nothing to a runtime that is offline, silent or unknown, nor for another runtime"],
};

/** The rows of 11.4 (W: the sweeper) and 11.6 (R: retries), the bullets of 11.7 (S: sessions), the rows of 12.6 (X) and of 15.2 (D). */
const RULES_OF_TIME: Readonly<Record<string, Proof | readonly Proof[]>> = {
  "W-1": [SWEEPER, "marks a silent runtime offline and brings it back with a beat that announces waiting work"],
  "W-2": [SWEEPER, "gives a vanished daemon the grace, then fails what it held and retries"],
  "W-3": [[DEFERRED, "whose runtime does not come back in a day fails as runtime_reconnect_timeout, and the issue says so"], [DEFERRED, "is not given up for time in which the server did not watch"]],
  "W-4": [SWEEPER, "fails a task that was handed out and never started, and retries it once"],
  "W-5": [SWEEPER, "never times out a run while its daemon beats, nor a task that waits for a directory"],
  "W-6": [[RULES, "let at most 500 queued tasks expire in one round"], [DEFERRED, "of a task whose runtime went away waits until the runtime is healthy"]],
  "W-7": [RULES, "fail a task that waits for a directory with its runtime, though never for its age"],
  "W-8": [SWEEPER, "deletes a runtime after a week of silence, unless an agent is bound to it"],
  "W-9": [CANCELLED, "whose daemon is silent has its outcome after 60 s; a late report says it earlier"],
  "R-1": [RETRY, "does not retry %j"],
  "R-2": [[RETRY, "gives network failures a third attempt"], [RETRY, "delays $name"]],
  "R-3": [RETRY, "does not retry when $name"],
  "R-4": [RETRY, "the agent has no runtime"],
  "R-5": [DEFERRED, "of a task whose runtime went away waits until the runtime is healthy"],
  "S-1": [RESUME, "a cancelled run"],
  "S-2": [RESUME, "skips a failure by $name and takes the run before it"],
  "S-3": [RESUME, "an oversized image"],
  "S-4": [RESUME, "says so when a newer session is gone from disk"],
  "X-1": [CLASSIFY, "names a bundle failure"],
  "X-2": [CLASSIFY, "sees a context overflow behind a vague word"],
  "X-3": [CLASSIFY, "names a broken stream"],
  "X-4": [CLASSIFY, "names a CLI that hangs"],
  "D-1": ["e2e/quickstart.test.ts", "goes from nothing to a commit and a comment, prints one document and leaves nothing behind"],
  "D-2": [GENERATIONS, "finds everything it asks for, from its workspaces to the check before it deletes a directory"],
  "D-3": [GENERATIONS, "finds batches, a list of workspaces that may be unchanged, and the acknowledgement; no feature flags are sent to it"],
};

casesAreProven({
  what: "the acceptance traces and the task rules of the embedded server",
  counts: { T: 6, F: 11, M: 12, E: 12, C: 5, W: 9, R: 5, S: 4, X: 4, D: 3 },
  proven: { ...TRACES, ...TABLE, ...RULES_OF_TIME },
  leftOut: {},
});

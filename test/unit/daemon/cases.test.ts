import { casesAreProven, type Proof } from "../../support/cases.ts";

const CONFIG = "unit/config/config.test.ts";
const CLOUD = "unit/config/daemon-cases.test.ts";
const DETECT = "integration/agents/detect.test.ts";
const ROUNDS = "integration/agents/detect-rounds.test.ts";
const CHANGE = "integration/daemon/agents-change.test.ts";
const LOOP = "unit/daemon/discovery-loop.test.ts";
const MOODS = "integration/daemon/server-moods.test.ts";
const REGISTER = "unit/daemon/register.test.ts";
const REGISTRATION = "integration/daemon/registration.test.ts";
const GONE = "unit/daemon/runtime-gone.test.ts";
const PROFILES = "unit/daemon/profiles.test.ts";
const SIGNALS = "unit/daemon/signals.test.ts";
const SYNC = "unit/daemon/sync.test.ts";
const REPOS = "integration/repos/registry.test.ts";
const BEAT = "unit/daemon/heartbeat.test.ts";
const FRAMES = "unit/daemon/frames.test.ts";
const LINK = "unit/daemon/socket.test.ts";
const WS = "integration/api/socket.test.ts";
const RPC = "unit/daemon/rpc.test.ts";
const QUEUE = "unit/api/frame-queue.test.ts";
const CLAIM = "unit/daemon/claim.test.ts";
const CAPACITY = "unit/daemon/capacity.test.ts";
const ACTIONS = "unit/daemon/actions.test.ts";
const SKILLS = "integration/agents/local-skills.test.ts";
const MODELS = "integration/agents/models.test.ts";

/** The acceptance cases of configuration, discovery, authentication, registration, presence, claiming and local skills, and what proves each. */
const PROVEN: Readonly<Record<string, Proof | readonly Proof[]>> = {
  "C-1": [CLOUD, "loses the socket's own path"],
  "C-2": [CONFIG, "takes flag, environment, settings and default in this order"],
  "C-3": [CONFIG, "dies on a malformed value and names where it stands"],
  "C-4": ["unit/core/duration.test.ts", "describe("],
  "C-5": [CONFIG, "lets a zero agent timeout win over the environment"],
  "C-6": [CLOUD, "are names only; blank means the defaults"],
  "C-7": [CLOUD, "turn updates by themselves on for the vendor's cloud only"],
  "C-9": [[CONFIG, "collects paths, models and arguments per provider"], [CONFIG, "dies on a malformed value and names where it stands"]],
  "C-10": [CLOUD, "keep the environments of finished tasks for ever on other servers"],
  "A-1": [[DETECT, "looks behind a wrapper of the hooks directory"], [ROUNDS, "finds the program behind a hook through the login shell too"]],
  "A-2": [[DETECT, "takes a named path for final, found or not"], [ROUNDS, "and none for a path that was named"]],
  "A-3": [ROUNDS, "starts no shell while everything is on PATH"],
  "A-4": [ROUNDS, "waits at most five seconds for a shell"],
  "A-5": [DETECT, "finds through the login shell what its profile adds, through noise and aliases"],
  "A-6": [DETECT, "asks no shell that it does not know"],
  "A-7": [CHANGE, "go offline when they become too old"],
  "A-8": [ROUNDS, "asks eight programs at once"],
  "A-9": [MOODS, "starts each agent once for 24 workspaces"],
  "A-10": [ROUNDS, "asks again what failed at once"],
  "A-11": [ROUNDS, "once only what takes its time to fail"],
  "A-12": [CHANGE, "are followed to where a version manager put them"],
  "A-13": [CHANGE, "one too old is not started"],
  "A-14": [[LOOP, "registers what appeared at the next look"], [REGISTRATION, "finds an agent that is installed while another one works"]],
  "A-15": [LOOP, "registers again only where it failed"],
  "A-16": [LOOP, "keeps the runtime of a program that vanished"],
  "A-17": [[LOOP, "registers an upgrade within ten minutes"], [CHANGE, "are registered with their new version without a restart"]],
  "A-18": [[LOOP, "waits with that while a task runs"], [CHANGE, "that stop answering stay online"]],
  "A-19": [[REGISTER, "whose answer brings back what was condemned meanwhile"], [CHANGE, "stay offline when the answer to an older registration arrives after the verdict"]],
  "A-20": [[CHANGE, "a file that cannot be executed goes offline with its reason"], [LOOP, "says why a file cannot be executed"]],
  "A-21": [LOOP, "is released only by a look that began after it"],
  "T-1": [MOODS, "renews the token before anything else"],
  "T-2": [MOODS, "warns with the login command when the renewal is refused"],
  "T-3": [MOODS, "goes on quietly when the renewal fails or hangs"],
  "T-4": [MOODS, "goes on quietly when the renewal fails or hangs"],
  "T-5": [MOODS, "is ready without a workspace and says what it waits for"],
  "T-6": [MOODS, "fails with the server's status when no workspace can be registered"],
  "W-1": [SIGNALS, "reaches every subscriber once, however often it is called"],
  "W-2": [GONE, "does nothing for an unknown id"],
  "W-3": [GONE, "leads to one registration however many report it"],
  "W-4": [[GONE, "keeps the sibling, has no duplicates"], [MOODS, "without recovering orphans of a sibling"]],
  "W-5": [GONE, "waits 60 s after a failure and tries again then"],
  "W-6": [GONE, "covers siblings of the same wave with one registration"],
  "W-7": [GONE, "waits 60 s after a failure and tries again then"],
  "W-8": [GONE, "acts at once on a later, distinct deletion after a success"],
  "W-9": [[REGISTER, "goes on although the loop that asked for it ended, and ends with the daemon"], [MOODS, "recovers a runtime it answers 404 for"]],
  "W-10": [REGISTER, "has one object for its workspace in every variant"],
  "W-11": [REGISTER, "without a command here are reported with the reason"],
  "W-12": [[REGISTER, "cannot be asked for: built-in agents register"], [MOODS, "registers built-in agents when it knows no profiles"]],
  "W-13": [PROFILES, "does not depend on order or display texts"],
  "W-14": [[REGISTER, "that change are registered at once, without orphan recovery"], [REGISTRATION, "follows a profile change within one hint"]],
  "W-15": [[REGISTER, "converge to zero and back"], [REGISTRATION, "converges to zero again"]],
  "W-16": [REGISTER, "that change while an agent does not answer do not cost that agent its runtime"],
  "W-17": [REPOS, "makes one request and one clone of ten callers that miss at once"],
  "W-18": ["integration/daemon/checkouts.test.ts", "follows the workspace's co-author setting at once"],
  "W-19": [REPOS, "are allowed for good, with refs for the task alone"],
  "W-20": [REPOS, "makes one request and one clone of ten callers that miss at once"],
  "W-21": [[MOODS, "does not make the daemon forget its workspaces"], [MOODS, "leaves the running task of a workspace alone that is left"]],
  "W-22": [SYNC, "comes every five minutes on an older server"],
  "H-1": [BEAT, "of one runtime are not delayed by a request of another that hangs"],
  "H-2": [BEAT, "are left out while the socket acknowledges"],
  "H-3": [BEAT, "give up kept connections at the second transient failure in a row"],
  "H-4": [[BEAT, "report a runtime that is gone once and end with it"], [FRAMES, "means a runtime that is gone only where it says so"]],
  "H-5": [FRAMES, "means a runtime that is gone only where it says so"],
  "H-6": [FRAMES, "recovers instead what it calls gone"],
  "H-7": [ACTIONS, "takes the list of imports and not the single one"],
  "H-8": ["unit/daemon/pending-work.test.ts", "cause one heartbeat a second and runtime"],
  "H-9": [[BEAT, "or it closes"], [FRAMES, "until it is lost"]],
  "H-10": [BEAT, "hand on what the server asks for and do not wait for it"],
  "H-11": [BEAT, "start for a new runtime and stop for one that disappeared"],
  "S-1": [[WS, "names the sorted runtimes and its credentials"], [LINK, "connects with the sorted ids"]],
  "S-2": [FRAMES, "catches up on everything when it opens"],
  "S-3": [LINK, "reconnects at once with the new list when the runtimes change"],
  "S-4": [[LINK, "waits 1 s doubling to 30 s"], [LINK, "starts over after one that lasted"]],
  "S-5": [WS, "closes a half-open connection after 60 s of silence"],
  "S-6": [[QUEUE, "a full queue takes no more and stays open"], [QUEUE, "that do not leave in ten seconds"]],
  "S-7": [LINK, "asks an older server without runtimes once"],
  "S-8": [RPC, "are made only after an ack of the very connection"],
  "S-9": [[RPC, "are withdrawn when the frame still waits"], [FRAMES, "goes over HTTP at once when it was certainly not executed"]],
  "S-10": [CLAIM, "is followed by seven silent seconds"],
  "S-11": [RPC, "unknown, late and broken answers are dropped"],
  "S-12": [SIGNALS, "keeps a broadcast without subscriber for exactly the next one"],
  "S-13": [WS, "is asked for the connection, unless the server is among the exceptions"],
  "S-14": [MOODS, "is polled for each runtime singly, without a socket"],
  "P-1": [CLAIM, "and not again while all are taken"],
  "P-2": [CLAIM, "asks for as many tasks as there are free slots"],
  "P-3": [CLAIM, "are not held up by a runtime whose request hangs"],
  "P-4": [CLAIM, "wake only the runtime that a hint names, or all"],
  "P-5": [CLAIM, "end with their runtime and leave its tasks alone"],
  "P-6": [[CLAIM, "begin after a 404 of the batch route"], [CLAIM, "give way to batch claims when the socket connects"]],
  "P-7": [CAPACITY, "is refused while a claim is under way or a task is active"],
  "P-8": [CLAIM, "sends no claim while the barrier is held"],
  "P-9": [CLAIM, "hands tasks over that arrive although the daemon is stopping"],
  "P-10": ["integration/daemon/claims.test.ts", "for the next one when a task ends"],
  "P-11": [CLAIM, "is followed by seven silent seconds"],
  "P-12": [CLAIM, "it.each(["],
  "P-13": [CLAIM, "each runtime at its own stable offset"],
  "P-14": [CAPACITY, "gives the lowest free index, each once, and takes it back"],
  "R-1": [SKILLS, "the agent's own before the shared one"],
  "R-2": [SKILLS, "follow links to the directory and not inside it"],
  "R-3": [SKILLS, "cycles and depth end"],
  "R-4": [SKILLS, "are refused by a bad key"],
  "R-5": [SKILLS, "have limits"],
  "R-6": [SKILLS, "leave out what is no text"],
  "R-7": [SKILLS, "come from the next root when the own directory has no document"],
  "R-8": [SKILLS, "leave the machine as names, transports and switches only"],
  "R-9": [MODELS, "the arguments of a profile come first"],
  "R-10": [MODELS, "are a list of ours, marked and not kept"],
};

/** Cases that cannot apply here, with the reason. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  "C-8": "OpenClaw has no adapter yet; and a malformed settings file ends the start with its name (decision 20 stands above the page)",
};

casesAreProven({
  what: "the acceptance cases of daemon.md 3, 5 to 10 and 17",
  counts: { C: 10, A: 21, T: 6, W: 22, H: 11, S: 14, P: 14, R: 10 },
  proven: PROVEN,
  leftOut: LEFT_OUT,
});

import { describe, expect, it } from "vitest";
import { type RoutedComment, type RoutingFacts, parseMentions, routeComment } from "../../../src/lib/server/services/tasks/routing.ts";

const A = "aaaaaaaa-0000-4000-8000-000000000001";
const B = "bbbbbbbb-0000-4000-8000-000000000002";
const C = "cccccccc-0000-4000-8000-000000000003";
const mention = (kind: string, id: string): string => `[@Somebody](mention://${kind}/${id})`;
const member = (content = "hello"): RoutedComment => ({ authorType: "member", authorId: "u", content });
const agent = (id: string, content = "hello"): RoutedComment => ({ authorType: "agent", authorId: id, content });
const system: RoutedComment = { authorType: "system", authorId: "0", content: "note" };

const top = (comment: RoutedComment, assignee: string | null = A): RoutingFacts => ({
  comment,
  parent: null,
  thread: [],
  assigneeType: assignee === null ? null : "agent",
  assigneeId: assignee,
});
const reply = (comment: RoutedComment, ...thread: RoutedComment[]): RoutingFacts => ({ ...top(comment), parent: thread.at(-1) ?? null, thread });

const S = "dddddddd-0000-4000-8000-000000000004";
const led = (facts: RoutingFacts): RoutingFacts => ({ ...facts, squadLeaders: new Map([[S, C]]) });

describe("routeComment", () => {
  it.each<{ name: string; facts: RoutingFacts; wakes: string[] }>([
    { name: "a plain top-level comment wakes the assignee", facts: top(member()), wakes: [A] },
    { name: "without an assignee nobody is woken", facts: top(member(), null), wakes: [] },
    { name: "a member as assignee is not woken", facts: { ...top(member()), assigneeType: "member" }, wakes: [] },
    { name: "/note wakes nobody, mentions or not", facts: top(member(`/note for later ${mention("agent", B)}`)), wakes: [] },
    { name: "a word that only begins like /note is a comment", facts: top(member("/notes are kept elsewhere")), wakes: [A] },
    { name: "mentioned agents are woken instead of the assignee", facts: top(member(`${mention("agent", B)} ${mention("agent", C)}`)), wakes: [B, C] },
    { name: "an agent mentioned twice is woken once", facts: top(member(mention("agent", B).repeat(2))), wakes: [B] },
    { name: "an agent mention counts beside @all", facts: top(member(`${mention("all", "all")} ${mention("agent", B)}`)), wakes: [B] },
    { name: "@all alone wakes nobody", facts: top(member(mention("all", "all"))), wakes: [] },
    { name: "a mentioned member alone wakes nobody", facts: top(member(mention("member", "u2"))), wakes: [] },
    { name: "an issue mention changes nothing", facts: top(member(mention("issue", "i"))), wakes: [A] },
    { name: "plain @name is no mention", facts: top(member("@B please")), wakes: [A] },
    { name: "an agent's comment wakes nobody", facts: top(agent(B)), wakes: [] },
    { name: "an agent's explicit mention does", facts: top(agent(B, mention("agent", C))), wakes: [C] },
    { name: "an agent does not wake itself", facts: top(agent(B, mention("agent", B))), wakes: [] },
    { name: "the server's comment wakes nobody", facts: top(system), wakes: [] },
    { name: "a reply to an agent goes to that agent only", facts: reply(member(), member(), agent(B)), wakes: [B] },
    { name: "a reply in an agent's thread goes to its owner", facts: reply(member(), agent(B), member()), wakes: [B] },
    { name: "a reply in a thread an agent answered in goes to that agent", facts: reply(member(), member(), agent(C), member()), wakes: [C] },
    { name: "a reply in a thread that mentions agents goes to them", facts: reply(member(), member(mention("agent", B)), member()), wakes: [B] },
    { name: "members among themselves wake nobody", facts: reply(member(), member()), wakes: [] },
    { name: "a mention beats the thread", facts: reply(member(mention("agent", C)), agent(B)), wakes: [C] },
    { name: "an agent's reply wakes nobody", facts: reply(agent(C), agent(B)), wakes: [] },
    { name: "a mentioned squad means its leader", facts: led(top(member(mention("squad", S)))), wakes: [C] },
    { name: "a squad without a leader wakes nobody", facts: top(member(mention("squad", S))), wakes: [] },
    { name: "a squad's leader is woken by a plain comment", facts: led({ ...top(member()), assigneeType: "squad", assigneeId: S }), wakes: [C] },
    { name: "a squad's leader is woken by a worker's comment", facts: led({ ...top(agent(B)), assigneeType: "squad", assigneeId: S }), wakes: [C] },
    { name: "a squad's leader does not wake itself", facts: led({ ...top(agent(C)), assigneeType: "squad", assigneeId: S }), wakes: [] },
  ])("$name", ({ facts, wakes }) => {
    expect(routeComment(facts)).toEqual(wakes);
  });
});

describe("parseMentions", () => {
  it("finds links of every kind in order and leaves other links alone", () => {
    const text = `see [docs](https://x) ${mention("member", "m")} and ${mention("agent", B)}`;
    expect(parseMentions(text)).toEqual([
      { kind: "member", id: "m" },
      { kind: "agent", id: B },
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { uuid } from "../../../src/lib/core/index.ts";
import { liveServer } from "../../support/live-server.ts";

interface Property {
  readonly id: string;
  readonly config: { readonly options: { readonly id: string; readonly name: string; readonly color: string }[] };
}

async function world() {
  const server = await liveServer();
  const create = (input: object) => server.post<Property>("/api/properties", input);
  const issue = String((await server.post("/api/issues", { title: "x" }))["id"]);
  const values = async () => (await server.get<{ properties: object }>(`/api/issues/${issue}`)).properties;
  const set = (property: Property | undefined, value: unknown) => server.call("PUT", `/api/issues/${issue}/properties/${property?.id ?? ""}`, { value });
  return { server, create, issue, values, set };
}

describe("custom properties of a workspace", () => {
  it("are created, listed in their order, changed and archived; options keep the ids they are given", async () => {
    const { server, create } = await world();
    const made = await server.call("POST", "/api/properties", { name: " Severity ", type: "select", icon: "🔥", config: { options: [{ id: "o1", name: "High", color: "#D73A4A" }, { name: "Low" }] } });
    expect(made.status).toBe(201);
    const severity = made.body as unknown as Property;
    expect(severity).toMatchObject({ name: "Severity", type: "select", description: "", icon: "🔥", position: 1, archived: false, archived_at: null, usage_count: 0 });
    expect(severity.config.options).toMatchObject([{ id: "o1", name: "High", color: "#d73a4a" }, { name: "Low", color: "#6b7280" }]);
    const estimate = await create({ name: "Estimate", type: "number" });
    expect(await server.get("/api/properties")).toMatchObject({ total: 2, properties: [{ name: "Severity" }, { name: "Estimate", config: { options: [] } }] });
    const path = `/api/properties/${severity.id}`;
    expect((await server.call("PATCH", path, { name: "Weight", description: "how bad", icon: null, config: { options: [{ id: "o1", name: "Huge", color: "#000000" }] } })).body).toMatchObject({ name: "Weight", description: "how bad", icon: null, config: { options: [{ id: "o1", name: "Huge" }] } });
    expect((await server.call("PATCH", path, { archived: true })).body).toMatchObject({ archived: true, archived_at: expect.any(String) as unknown });
    expect(await server.get("/api/properties")).toMatchObject({ total: 1, properties: [{ id: estimate.id }] });
    expect(await server.get("/api/properties?include_archived=true")).toMatchObject({ total: 2 });
    expect((await server.call("PATCH", path, { archived: false })).body).toMatchObject({ archived: false, name: "Weight" });
  });

  it("refuse what cannot be one", async () => {
    const { server, create } = await world();
    const text = await create({ name: "Note", type: "text" });
    for (const [body, status, error] of [
      [{ type: "text" }, 400, "name is required"],
      [{ name: "x" }, 400, 'invalid type ""; valid values: text, number, select, multi_select, date, checkbox, url, actor, multi_actor'],
      [{ name: "NOTE", type: "text" }, 409, "a property with this name already exists"],
      [{ name: "a\nb", type: "text" }, 400, "name must be one line of at most 64 characters"],
      [{ name: "x", type: "text", config: { options: [{ name: "A" }] } }, 400, "a property of type text has no options"],
      [{ name: "x", type: "select", config: { options: [{ name: "A" }, { name: "a" }] } }, 400, "duplicate option name"],
      [{ name: "x", type: "select", config: { options: [{ name: "A", color: "red" }] } }, 400, "color must be a 6-digit hex value"],
      [{ name: "x", type: "select", config: { options: [{ id: " ", name: "A" }] } }, 400, "option id is required"],
      [{ name: "x", type: "select", config: { options: 5 } }, 400, "invalid request body"],
    ] as const) {
      const answer = await server.call("POST", "/api/properties", body);
      expect([body, answer.status, answer.body["error"]]).toEqual([body, status, error]);
    }
    expect((await server.call("PATCH", `/api/properties/${text.id}`, { type: "number" })).body).toEqual({ error: "the type of a property cannot be changed" });
    expect((await server.call("PATCH", `/api/properties/${uuid()}`, {})).body).toEqual({ error: "property not found" });
    expect((await server.call("PATCH", "/api/properties/x", {})).body).toEqual({ error: "invalid property id" });
  });
});

describe("an issue's values", () => {
  it("fit their property's type, change the revision, and are found by the list", async () => {
    const { server, create, issue, values, set } = await world();
    const me = String((await server.get("/api/me"))["id"]);
    const options = { options: [{ id: "o1", name: "A" }, { id: "o2", name: "B" }] };
    const types = { text: "a note", number: 2.5, select: "o1", multi_select: ["o2", "o1"], date: "2026-02-28", checkbox: false, url: "https://example.test/x", actor: `member:${me}`, multi_actor: [`member:${me}`] };
    const bad: Readonly<Record<string, unknown[]>> = {
      text: ["", " ", 5, null], number: ["5", null], select: ["A", ["o1"]], multi_select: [[], "o1", ["o3"]], date: ["2026-02-30", "today", ""],
      checkbox: ["true", 1], url: ["javascript:alert(1)", "x"], actor: [me, `agent:${me}`, `member:${uuid()}`], multi_actor: [[], [`member:${uuid()}`]],
    };
    const made = new Map<string, Property>();
    for (const [type, value] of Object.entries(types)) {
      const property = await create({ name: type, type, ...(type.endsWith("select") ? { config: options } : {}) });
      made.set(type, property);
      for (const wrong of bad[type] ?? []) expect([type, wrong, (await set(property, wrong)).status]).toEqual([type, wrong, 400]);
      expect((await set(property, value)).body).toMatchObject({ properties: { [property.id]: value }, issue_revision: expect.any(Number) as unknown });
    }
    const id = (type: string): string => made.get(type)?.id ?? "";
    expect(await values()).toEqual(Object.fromEntries(Object.entries(types).map(([type, value]) => [id(type), value])));
    const found = async (filter: object) => (await server.get<{ total: number }>(`/api/issues?properties=${encodeURIComponent(JSON.stringify(filter))}`)).total;
    expect(await found({ [id("number")]: 2.5, [id("checkbox")]: false })).toBe(1);
    expect([await found({ [id("multi_select")]: ["o1"] }), await found({ [id("multi_select")]: ["o1", "o3"] }), await found({ [id("number")]: 2 })]).toEqual([1, 0, 0]);
    expect((await server.call("GET", "/api/issues?properties=[1]")).body).toEqual({ error: "invalid properties" });
    expect(await server.get("/api/properties")).toMatchObject({ properties: Object.keys(types).map(() => ({ usage_count: 1 })) });

    const before = Number((await server.get(`/api/issues/${issue}`))["revision"]);
    const gone = await server.call("DELETE", `/api/issues/${issue}/properties/${id("text")}`);
    expect(gone.body).toMatchObject({ issue_revision: before + 1 });
    expect(await values()).not.toHaveProperty(id("text"));
  });

  it("stay when their property is archived, but are not set any more; another workspace's property is unknown", async () => {
    const { server, create, issue, values, set } = await world();
    const note = await create({ name: "Note", type: "text" });
    await set(note, "kept");
    await server.call("PATCH", `/api/properties/${note.id}`, { archived: true });
    expect((await set(note, "new")).body).toEqual({ error: "the property is archived" });
    expect(await values()).toEqual({ [note.id]: "kept" });
    expect((await server.call("DELETE", `/api/issues/${issue}/properties/${note.id}`)).body).toMatchObject({ properties: {} });

    const other = String((await server.post("/api/workspaces", { name: "Other", slug: "other" }))["id"]);
    const there = { headers: { "x-workspace-id": other } };
    const foreign = await server.post<Property>("/api/properties", { name: "Note", type: "text" }, there);
    expect((await set(foreign, "x")).body).toEqual({ error: "property not found" });
    expect((await server.call("PATCH", `/api/properties/${note.id}`, { name: "y" }, there)).body).toEqual({ error: "property not found" });
    expect(await server.get("/api/properties", there)).toMatchObject({ total: 1 });
    const runtime = await server.register();
    await server.issue(await server.agent(runtime));
    const [task] = await server.claim([runtime]);
    const agent = { token: task?.auth_token ?? "" };
    const free = await create({ name: "Free", type: "text" });
    expect((await server.call("PUT", `/api/issues/${issue}/properties/${free.id}`, { value: "by agent" }, agent)).status).toBe(200);
    expect((await server.call("PUT", `/api/issues/${issue}/properties/${foreign.id}`, { value: "x" }, agent)).status).toBe(404);
  });
});

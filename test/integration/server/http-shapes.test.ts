import { describe, expect, it } from "vitest";
import { testServer } from "../../support/server.ts";

describe("the shape of answers (server-api.md 1.2)", () => {
  it("answers an unknown path with the plain-text 404, with and without a credential", async () => {
    const server = await testServer();
    for (const path of ["/nope", "/api/nope", "/api/daemon/nope", "/api/dashboard/x", "/api/pins", "/api/skills/search/x"]) {
      for (const token of [null, "mul_wrong", server.token]) {
        const reply = await server.call("GET", path, undefined, { token });
        expect([reply.status, reply.text, reply.headers.get("content-type")]).toEqual([404, "404 page not found\n", "text/plain; charset=utf-8"]);
      }
    }
  });

  it("answers a wrong method on a known path with an empty 405", async () => {
    const server = await testServer();
    for (const [method, path] of [["DELETE", "/health"], ["PATCH", "/api/issues"], ["GET", "/api/daemon/register"]] as const) {
      const reply = await server.call(method, path, undefined, { token: null });
      expect([reply.status, reply.text]).toEqual([405, ""]);
    }
  });

  it("ends JSON bodies with a newline and sets Content-Length", async () => {
    const server = await testServer();
    const reply = await server.call("GET", "/api/issues/LOCA-99");
    expect(reply.status).toBe(404);
    expect(reply.text).toBe('{"error":"issue not found"}\n');
    expect(reply.headers.get("content-length")).toBe(String(Buffer.byteLength(reply.text)));
  });

  it("refuses bodies that are no JSON object, and bodies that are too large", async () => {
    const server = await testServer();
    for (const body of ["{", "[]", '"x"', '{"title": 7}']) {
      const reply = await server.call("POST", "/api/issues", body);
      expect([reply.status, reply.body["error"]]).toEqual([400, "invalid request body"]);
    }
    const large = await server.call("POST", "/api/issues", { title: "x", description: "y".repeat(11 << 20) });
    expect(large.status).toBe(413);
  });

  it("drops NUL characters from texts and ignores unknown keys", async () => {
    const server = await testServer();
    const issue = await server.ok("POST", "/api/issues", { title: "a\u0000b", description: "c\u0000d", something_new: { x: 1 } });
    expect([issue["title"], issue["description"]]).toEqual(["ab", "cd"]);
  });

  it("serves health, readiness and config without a credential", async () => {
    const server = await testServer();
    expect((await server.call("GET", "/health", undefined, { token: null })).body).toEqual({ status: "ok" });
    for (const path of ["/healthz", "/readyz"]) expect((await server.call("GET", path, undefined, { token: null })).status).toBe(200);
    const config = await server.call("GET", "/api/config", undefined, { token: null });
    expect(config.body).toEqual({
      cdn_domain: "",
      allow_signup: false,
      posthog_key: "",
      posthog_host: "",
      analytics_environment: "",
      local_worktree_supported: true,
      server_version: "1.2.3",
    });
  });

  it("serialises times to whole seconds in UTC", async () => {
    const server = await testServer();
    const me = await server.ok("GET", "/api/me");
    expect(me["created_at"]).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/);
  });
});

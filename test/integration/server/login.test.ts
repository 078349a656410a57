import { get } from "node:http";
import { describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../support/server.ts";

const CALLBACK = "http://localhost:4711/callback";

function page(server: TestServer, callback: string, headers: Record<string, string> = {}) {
  const query = new URLSearchParams({ cli_callback: callback, cli_state: "abc" });
  return server.call("GET", `/login?${query.toString()}`, undefined, { token: null, headers });
}

function fields(html: string): Record<string, string> {
  return Object.fromEntries([...html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map((match) => [match[1] ?? "", match[2] ?? ""]));
}

function submit(server: TestServer, form: Record<string, string>) {
  return server.call("POST", "/login", new URLSearchParams(form).toString(), {
    token: null,
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
}

describe("signing the command line in through the browser (server-api.md 14.2)", () => {
  it("asks, then sends a session to the callback, and that makes a token", async () => {
    const server = await testServer();
    const shown = await page(server, `${CALLBACK}?x=1`);
    expect([shown.status, shown.headers.get("x-frame-options")]).toEqual([200, "DENY"]);
    const sent = await submit(server, fields(shown.text));
    expect(sent.status).toBe(303);
    const target = new URL(sent.headers.get("location") ?? "");
    expect([target.origin + target.pathname, target.searchParams.get("x"), target.searchParams.get("state")]).toEqual([CALLBACK, "1", "abc"]);
    const session = target.searchParams.get("token") ?? "";
    const made = await server.call("POST", "/api/tokens", { name: "CLI (host)", expires_in_days: 90 }, { token: session, workspace: null });
    expect(made.status).toBe(201);
    expect((await server.call("GET", "/api/me", undefined, { token: String(made.body["token"]) })).status).toBe(200);
  });

  it("sends no session anywhere but to this machine or a private address", async () => {
    const server = await testServer();
    const good = ["http://localhost:1/callback", "http://127.0.0.1:1/callback", "http://[::1]:1/cb", "http://10.1.2.3/cb", "http://172.31.0.1/cb", "http://192.168.0.9/cb"];
    for (const callback of good) expect([callback, (await page(server, callback)).status]).toEqual([callback, 200]);
    const bad = [
      "https://localhost/cb",
      "http://example.com/cb",
      "http://localhost.example.com/cb",
      "http://172.32.0.1/cb",
      "http://8.8.8.8/cb",
      "http://localhost@example.com/cb",
      "http://user:x@localhost/cb",
      "javascript:alert(1)",
      "nonsense",
    ];
    for (const callback of bad) expect([callback, (await page(server, callback)).status]).toEqual([callback, 400]);
    const form = fields((await page(server, CALLBACK)).text);
    expect((await submit(server, { ...form, cli_callback: "http://example.com/cb" })).status).toBe(400);
  });

  it("takes only a form that it has made itself, unchanged", async () => {
    const server = await testServer();
    const form = fields((await page(server, CALLBACK)).text);
    for (const change of [{ seal: "0" }, { cli_callback: "http://10.0.0.1/cb" }, { cli_state: "other" }, { expires: "9999999999999" }]) {
      expect((await submit(server, { ...form, ...change })).status).toBe(400);
    }
    expect((await submit(server, { cli_callback: CALLBACK, cli_state: "abc" })).status).toBe(400);
  });

  it("is served under a loopback name only", async () => {
    const server = await testServer();
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = get(`${server.running.url}/login?cli_callback=${encodeURIComponent(CALLBACK)}`, { headers: { host: "evil.example" } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on("error", reject);
    });
    expect(status).toBe(403);
  });

  it("asks for a token where other machines can reach the page", async () => {
    const server = await testServer({ host: "0.0.0.0" });
    const shown = await page(server, CALLBACK);
    expect(shown.text).toContain('name="token"');
    const form = fields(shown.text);
    expect((await submit(server, form)).status).toBe(401);
    expect((await submit(server, { ...form, token: "mul_wrong" })).status).toBe(401);
    expect((await submit(server, { ...form, token: server.token })).status).toBe(303);
  });

  it("escapes what it shows", async () => {
    const server = await testServer();
    const query = new URLSearchParams({ cli_callback: CALLBACK, cli_state: '"><script>alert(1)</script>' });
    const shown = await server.call("GET", `/login?${query.toString()}`, undefined, { token: null });
    expect(shown.text).not.toContain("<script>");
  });
});

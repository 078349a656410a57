import { createHmac } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HeldClock, openDatabase } from "../../../src/lib/platform/index.ts";
import { testServer } from "../../support/server.ts";

const DAY_MS = 24 * 3_600_000;

function jwt(secret: string, claims: object, header: object = { alg: "HS256", typ: "JWT" }): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", Buffer.from(secret, "hex")).update(signed).digest("base64url")}`;
}

describe("authentication of user routes (server-api.md 2.2)", () => {
  it("tells each failure apart by its text", async () => {
    const server = await testServer();
    const me = async (authorization?: string): Promise<unknown[]> => {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const reply = await server.call("GET", "/api/me", undefined, { token: null, headers });
      return [reply.status, reply.body["error"]];
    };
    expect(await me()).toEqual([401, "missing authorization"]);
    expect(await me("Basic abc")).toEqual([401, "invalid authorization format"]);
    expect(await me("Bearer")).toEqual([401, "invalid authorization format"]);
    for (const bad of ["mul_0", "mat_0", "mdt_0", "mcn_0", "a.b.c", "nonsense"]) expect(await me(`Bearer ${bad}`)).toEqual([401, "invalid token"]);
    expect((await me(`Bearer ${server.token}`))[0]).toBe(200);
  });

  it("accepts its own sessions only: right key, right algorithm, not expired, with a subject", async () => {
    const server = await testServer();
    const secret = readFileSync(join(server.dataDir, "secret"), "utf8").trim();
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const status = async (token: string): Promise<unknown[]> => {
      const reply = await server.call("GET", "/api/me", undefined, { token });
      return [reply.status, reply.body["error"]];
    };
    expect((await status(jwt(secret, { sub: server.userId, exp })))[0]).toBe(200);
    expect(await status(jwt(secret, { exp }))).toEqual([401, "invalid claims"]);
    expect(await status(jwt(secret, { sub: server.userId, exp: exp - 7200 }))).toEqual([401, "invalid token"]);
    expect(await status(jwt("00".repeat(32), { sub: server.userId, exp }))).toEqual([401, "invalid token"]);
    expect(await status(jwt(secret, { sub: server.userId, exp }, { alg: "none" }))).toEqual([401, "invalid token"]);
  });

  it("keeps the session secret and the database from other users of the machine", async () => {
    const server = await testServer();
    for (const name of ["secret", "server.sqlite"]) expect(statSync(join(server.dataDir, name)).mode & 0o777).toBe(0o600);
  });

  it("stores tokens as hashes only, and shows their text once", async () => {
    const server = await testServer();
    const made = await server.call("POST", "/api/tokens", { name: "CLI (host)", expires_in_days: 90 });
    const text = String(made.body["token"]);
    expect([made.status, text]).toEqual([201, expect.stringMatching(/^mul_[0-9a-f]{40}$/)]);
    expect(made.body["token_prefix"]).toBe(text.slice(0, 12));
    const listed = (await server.call("GET", "/api/tokens")).list;
    expect(listed.map((token) => token["name"])).toEqual(["test", "CLI (host)"]);
    expect(JSON.stringify(listed)).not.toContain(text);
    const db = openDatabase(join(server.dataDir, "server.sqlite"), { readOnly: true });
    expect(JSON.stringify(db.prepare("SELECT * FROM token").all())).not.toContain(text);
    db.close();
  });

  it("ends a token when it is deleted and when its time is over", async () => {
    const clock = new HeldClock();
    const server = await testServer({ clock });
    const made = await server.ok("POST", "/api/tokens", { name: "a", expires_in_days: 1 });
    const other = await server.ok("POST", "/api/tokens", { name: "b" });
    expect((await server.call("DELETE", `/api/tokens/${String(other["id"])}`)).status).toBe(204);
    expect((await server.call("DELETE", `/api/tokens/${String(other["id"])}`)).body["error"]).toBe("token not found");
    expect((await server.call("GET", "/api/me", undefined, { token: String(other["token"]) })).status).toBe(401);
    expect((await server.call("GET", "/api/me", undefined, { token: String(made["token"]) })).status).toBe(200);
    await clock.advance(DAY_MS);
    expect((await server.call("GET", "/api/me", undefined, { token: String(made["token"]) })).body["error"]).toBe("invalid token");
  });

  it("renews a personal token in place once it has a week left", async () => {
    const clock = new HeldClock();
    const server = await testServer({ clock });
    const renew = (token: string) => server.call("POST", "/api/tokens/current/renew", {}, { token });
    expect((await renew(server.token)).body).toEqual({ expires_at: "", renewed: false });
    const token = String((await server.ok("POST", "/api/tokens", { name: "a", expires_in_days: 10 }))["token"]);
    expect((await renew(token)).body["renewed"]).toBe(false);
    await clock.advance(4 * DAY_MS);
    const renewed = (await renew(token)).body;
    expect(renewed).toEqual({ expires_at: new Date(clock.now() + 90 * DAY_MS).toISOString().replace(".000", ""), renewed: true });
    const session = String((await server.ok("POST", "/api/cli-token"))["token"]);
    expect((await renew(session)).body["error"]).toBe("only personal access tokens can be renewed");
  });

  it("refuses a disabled account", async () => {
    const server = await testServer();
    const db = openDatabase(join(server.dataDir, "server.sqlite"));
    db.exec("UPDATE user SET disabled = 1");
    db.close();
    const reply = await server.call("GET", "/api/me");
    expect([reply.status, reply.body["error"]]).toEqual([403, "account disabled"]);
  });

  it("asks cookie requests that change something for the CSRF token", async () => {
    const server = await testServer();
    const session = String((await server.ok("POST", "/api/cli-token"))["token"]);
    const cookie = `multica_auth=${session}; multica_csrf=abc`;
    const send = (method: string, headers: Record<string, string>) =>
      server.call(method, "/api/me", method === "GET" ? undefined : { name: "Ada" }, { token: null, headers: { cookie, ...headers } });
    expect((await send("GET", {})).status).toBe(200);
    expect((await send("PATCH", {})).body["error"]).toBe("CSRF validation failed");
    expect((await send("PATCH", { "x-csrf-token": "abd" })).status).toBe(403);
    expect((await send("PATCH", { "x-csrf-token": "abc" })).body["name"]).toBe("Ada");
  });
});

describe("authentication of daemon routes (server-api.md 2.3)", () => {
  it("tells each failure apart by its text and takes no cookie", async () => {
    const server = await testServer();
    const ask = async (headers: Record<string, string>): Promise<unknown[]> => {
      const reply = await server.call("GET", "/api/daemon/workspaces", undefined, { token: null, headers });
      return [reply.status, reply.body["error"]];
    };
    expect(await ask({})).toEqual([401, "missing authorization header"]);
    expect(await ask({ cookie: "multica_auth=x" })).toEqual([401, "missing authorization header"]);
    expect(await ask({ authorization: "Token x" })).toEqual([401, "invalid authorization format"]);
    expect(await ask({ authorization: "Bearer mdt_0" })).toEqual([401, "invalid daemon token"]);
    expect(await ask({ authorization: "Bearer mul_0" })).toEqual([401, "invalid token"]);
  });
});

import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Http, type HttpOptions, RequestError, createLightHttp, isRuntimeNotFound, isStatus, isTaskNotFound, isTransient, serverCode, serverMessage } from "../../../src/lib/api/index.ts";
import { createHttp } from "../../../src/lib/api/ky-http.ts";
import { isMulticaError } from "../../../src/lib/core/index.ts";
import { freePort } from "../../../src/lib/platform/index.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A real server on loopback that answers as the test says; returns its base URL. */
async function serve(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => handler(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

const base: Omit<HttpOptions, "serverUrl"> = { token: "mul_x", platform: "cli", clientVersion: "0.4.24", os: "darwin", workspaceId: "w", agentId: "a", taskId: "t" };
const clients: readonly (readonly [string, (options: HttpOptions) => Http])[] = [
  ["on ky", createHttp],
  ["on Node's own client", createLightHttp],
];

async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a failure");
}

describe.each(clients)("the HTTP client %s", (_name, create) => {
  it("sends identity, query and JSON body, and keeps a path prefix", async () => {
    const seen: { url: string; headers: IncomingMessage["headers"]; body: string }[] = [];
    const url = await serve((request, response, body) => {
      seen.push({ url: request.url ?? "", headers: request.headers, body });
      response.end('{"ok":1}\n');
    });
    const http = create({ ...base, serverUrl: `${url}/prefix`, capabilities: ["a-v1", "b-v1"] });
    const answer = await http.request("POST", "/api/x", { body: { grüße: "ä" }, query: { a: 1, b: undefined, c: "x y" } });
    expect(answer).toMatchObject({ status: 200, body: { ok: 1 } });
    expect(seen[0]).toMatchObject({ url: "/prefix/api/x?a=1&c=x+y", body: '{"grüße":"ä"}' });
    expect(seen[0]?.headers).toMatchObject({
      authorization: "Bearer mul_x",
      "x-client-platform": "cli",
      "x-client-version": "0.4.24",
      "x-client-os": "macos",
      "x-client-capabilities": "a-v1,b-v1",
      "x-workspace-id": "w",
      "x-agent-id": "a",
      "x-task-id": "t",
    });
  });

  it("reads the token at each request and leaves the header out when there is none", async () => {
    const seen: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(204).end();
    });
    let token = "one";
    const http = create({ ...base, serverUrl: url, token: () => token });
    expect((await http.request("GET", "/")).body).toBeNull();
    token = "";
    await http.request("GET", "/");
    expect(seen).toEqual(["Bearer one", undefined]);
  });

  it.each([
    [401, 3, false],
    [403, 3, false],
    [404, 4, false],
    [400, 5, false],
    [422, 5, false],
    [409, 7, false],
    [408, 1, true],
    [429, 1, true],
    [500, 1, true],
    [503, 1, true],
  ])("turns status %i into an error with exit code %i (transient: %s)", async (status, exit, transient) => {
    const url = await serve((_request, response) => response.writeHead(status, { "Content-Type": "application/json" }).end('{"error":"it is so","code":"c"}'));
    const error = await failure(create({ ...base, serverUrl: url }).request("GET", "/api/y"));
    expect(error).toBeInstanceOf(RequestError);
    expect(error).toMatchObject({ status, exit, method: "GET", path: "/api/y", body: '{"error":"it is so","code":"c"}' });
    expect(isTransient(error)).toBe(transient);
    expect(isStatus(error, status)).toBe(true);
  });

  it("never retries by itself, not even a 503", async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls += 1;
      response.writeHead(503, { "Retry-After": "0" }).end();
    });
    await failure(create({ ...base, serverUrl: url }).request("GET", "/"));
    expect(calls).toBe(1);
  });

  it("says refused, timed out and cut off apart, all of them exit 6 and transient", async () => {
    const refused = await failure(create({ ...base, serverUrl: `http://127.0.0.1:${await freePort()}` }).request("GET", "/"));
    expect(refused).toMatchObject({ code: "network_refused", exit: 6 });
    const silent = await serve(() => undefined);
    const timeout = await failure(create({ ...base, serverUrl: silent }).request("GET", "/", { timeoutMs: 50 }));
    expect(timeout).toMatchObject({ code: "network_timeout", exit: 6 });
    const cutting = await serve((request, response) => {
      response.writeHead(200, { "Content-Length": "1000" });
      response.write("{", () => request.socket.destroy());
    });
    const cut = await failure(create({ ...base, serverUrl: cutting }).request("GET", "/"));
    expect(cut).toMatchObject({ exit: 6 });
    for (const error of [refused, timeout, cut]) expect(isTransient(error)).toBe(true);
  });

  it("rejects with the caller's own reason when the caller aborts", async () => {
    const url = await serve(() => undefined);
    const controller = new AbortController();
    const pending = create({ ...base, serverUrl: url }).request("GET", "/", { signal: controller.signal });
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await failure(pending)).toBe(reason);
  });

  it("does not carry the token to another origin", async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end("{}");
    });
    const url = await serve((_request, response) => response.writeHead(302, { Location: `${other}/steal` }).end());
    await create({ ...base, serverUrl: url }).request("GET", "/").catch(() => undefined);
    expect(seen.filter((header) => header !== undefined)).toEqual([]);
  });

  it("refuses an address without a scheme with the next step", async () => {
    const error = await failure(create({ ...base, serverUrl: "localhost" }).request("GET", "/"));
    expect(isMulticaError(error, "bad_server_url") && error.suggestions[0]).toMatch(/http:\/\//);
  });
});

describe("what an error body says", () => {
  it("recognises the 404s with recovery semantics by their text only", () => {
    const error = (body: string): RequestError => new RequestError("POST", "/p", 404, body);
    expect(isRuntimeNotFound(error('{"error":"Runtime not found"}'))).toBe(true);
    expect(isTaskNotFound(error('{"error":"task not found"}'))).toBe(true);
    expect(isRuntimeNotFound(error("404 page not found\n"))).toBe(false);
    expect(isTaskNotFound(new RequestError("POST", "/p", 500, "task not found"))).toBe(false);
  });

  it("prefers prose over machine codes and never echoes HTML", () => {
    expect(serverMessage('{"error":"not_found","message":"No such issue"}')).toBe("No such issue");
    expect(serverMessage('{"error":"not_found"}')).toBe("not_found");
    expect(serverMessage("<html>gateway</html>")).toBeUndefined();
    expect(serverCode('{"error":"x y","code":"revision_conflict"}')).toBe("revision_conflict");
    expect(serverCode("[]")).toBeUndefined();
  });
});

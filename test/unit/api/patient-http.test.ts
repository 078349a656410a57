import { describe, expect, it } from "vitest";
import { RequestError, networkError } from "../../../src/lib/api/errors.ts";
import type { Http, Method } from "../../../src/lib/api/http.ts";
import { patientHttp } from "../../../src/lib/api/patient-http.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";

const refused = (): Error => networkError("GET", "/x", "http://h", Object.assign(new Error("connect"), { code: "ECONNREFUSED" }));
const cut = (): Error => networkError("GET", "/x", "http://h", new Error("socket hang up"));

async function ask(method: Method, failures: readonly Error[]) {
  const clock = new HeldClock();
  let asked = 0;
  const http: Http = {
    serverUrl: "http://h",
    request: () => {
      asked += 1;
      const failure = failures[Math.min(asked, failures.length) - 1];
      return asked <= failures.length && failure !== undefined ? Promise.reject(failure) : Promise.resolve({ status: 200, headers: { get: () => null }, body: "yes" });
    },
  };
  const done = patientHttp(http, clock).request(method, "/x").then(
    (answer) => answer.body,
    (error: unknown) => (error as { code?: string }).code,
  );
  for (let second = 0; second < 20; second += 1) await clock.advance(1000);
  return { outcome: await done, asked };
}

describe("the client of an agent's commands", () => {
  it.each(["GET", "POST", "PUT", "PATCH", "DELETE"] as const)("waits for a server that refuses connections: %s never reached it", async (method) => {
    expect(await ask(method, [refused(), refused(), refused()])).toEqual({ outcome: "yes", asked: 4 });
  });

  it("asks again after a connection broke only where that may be done twice", async () => {
    expect(await ask("GET", [cut(), cut()])).toEqual({ outcome: "yes", asked: 3 });
    expect(await ask("PUT", [cut()])).toEqual({ outcome: "yes", asked: 2 });
    for (const method of ["POST", "PATCH", "DELETE"] as const) expect(await ask(method, [cut()])).toEqual({ outcome: "network_offline", asked: 1 });
  });

  it("takes every answer as it is, and gives up after about ten seconds", async () => {
    expect(await ask("GET", [new RequestError("GET", "/x", 500, "")])).toMatchObject({ asked: 1 });
    expect(await ask("GET", Array.from({ length: 20 }, refused))).toEqual({ outcome: "network_refused", asked: 7 });
  });
});

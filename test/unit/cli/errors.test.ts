import { describe, expect, it } from "vitest";
import { RequestError, networkError } from "../../../src/lib/api/index.ts";
import { MulticaError } from "../../../src/lib/core/index.ts";
import { errorDocument, errorLines, forTask, renderError, withMessage } from "../../../src/cli/errors.ts";
import { rememberCommand } from "../../../src/cli/failure.ts";

const answer = (status: number, body = ""): RequestError => new RequestError("GET", "/api/secret-path", status, body);

describe("forTask", () => {
  it("names no command that a task is refused, and leaves other advice alone", () => {
    expect(forTask(renderError(answer(401))).hints.join(" ")).toMatch(/ends with the task/);
    expect(forTask(renderError(answer(404))).hints).toEqual(renderError(answer(404)).hints);
  });
});

describe("renderError", () => {
  it.each([
    [400, "validation", 5],
    [401, "auth_required", 3],
    [403, "forbidden", 3],
    [404, "not_found", 4],
    [409, "conflict", 7],
    [422, "validation", 5],
    [429, "rate_limited", 1],
    [500, "server_error", 1],
    [503, "server_error", 1],
  ])("gives status %i the class %s and exit %i, without path or status", (status, kind, exit) => {
    const rendered = renderError(answer(status, "<html>"));
    expect([rendered.kind, rendered.exit, rendered.httpStatus]).toEqual([kind, exit, status]);
    expect(errorLines(rendered, undefined, false)).not.toMatch(/secret-path|<html>/);
  });

  it.each([
    ['{"error":"some_code","message":"Prose here."}', "Invalid request: Prose here."],
    ['{"error":"some_code"}', "Invalid request: some_code"],
    ["<html>no</html>", "Invalid request: check the values"],
    ["", "Invalid request: check the values"],
    ["[1]", "Invalid request: check the values"],
    ["x".repeat(10_000), "Invalid request: check the values"],
  ])("takes the sentence out of %s", (body, message) => {
    expect(renderError(answer(400, body)).message).toBe(message);
  });

  it.each([
    ["ECONNREFUSED", "network_refused"],
    ["ENOTFOUND", "network_dns"],
    ["ETIMEDOUT", "network_timeout"],
    ["ECONNRESET", "network_offline"],
  ])("calls %s %s with exit 6", (code, kind) => {
    const error = networkError("GET", "/x", "http://h", Object.assign(new Error("low"), { code }));
    expect(renderError(error)).toMatchObject({ kind, exit: 6 });
  });

  it("keeps class and exit when a command puts its own words over an error", () => {
    expect(renderError(withMessage(answer(401), "the token is wrong"))).toMatchObject({ message: "the token is wrong", exit: 3, kind: "auth_required" });
  });

  it("points at the help of the command of a usage error", () => {
    const error = new MulticaError("usage", "no", { exit: 2 });
    rememberCommand(error, "issue:get");
    expect(renderError(error).hints).toEqual(["See multica issue get --help."]);
  });

  it("shows the chain only when asked, and never a token", () => {
    const token = `mul_${"a".repeat(32)}`;
    const error = new MulticaError("x", `bad ${token}`, { cause: answer(500, `{"error":"Bearer ${token}"}`) });
    const rendered = renderError(error);
    expect(errorLines(rendered, error, false)).not.toContain("[debug]");
    const debug = errorLines(rendered, error, true);
    expect(debug).toContain("[debug] GET /api/secret-path → 500");
    expect(debug + JSON.stringify(errorDocument(rendered))).not.toContain(token);
  });

  it("has a fixed document", () => {
    expect(errorDocument(renderError(answer(409, '{"error":"Taken already.","code":"dup"}')))).toEqual({
      error: { kind: "conflict", message: "Request conflict: Taken already.", exit_code: 7, http_status: 409, code: "dup" },
    });
  });
});

import { createHmac, timingSafeEqual } from "node:crypto";
import { isObject, parseJson } from "../../core/index.ts";

interface SessionClaims {
  /** User id. */
  readonly sub: string;
  readonly email: string;
  readonly name: string;
  /** Epoch seconds. */
  readonly iat: number;
  readonly exp: number;
}

const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString("base64url");

function signature(secret: Uint8Array, signed: string): Buffer {
  return createHmac("sha256", secret).update(signed).digest();
}

/** A session token, HS256 (server-api.md 2.1). */
export function signSession(secret: Uint8Array, claims: SessionClaims): string {
  const signed = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${signed}.${signature(secret, signed).toString("base64url")}`;
}

/**
 * The claims of a session token that this server signed and that has not expired, else null.
 * `sub` may be missing in the answer: the caller tells the two failures apart (server-api.md 2.2).
 */
export function verifySession(secret: Uint8Array, token: string, nowMs: number): { sub: string | undefined } | null {
  const [header, payload, mac, extra] = token.split(".");
  if (header === undefined || payload === undefined || mac === undefined || extra !== undefined) return null;
  // Only the algorithm we sign with: a token that chooses its own ("none") is not a session.
  if (header !== HEADER && !isHs256(header)) return null;
  const given = Buffer.from(mac, "base64url");
  const wanted = signature(secret, `${header}.${payload}`);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null;
  const claims = parseJson(Buffer.from(payload, "base64url").toString("utf8"));
  if (!isObject(claims)) return null;
  const expires = claims["exp"];
  if (typeof expires !== "number" || expires * 1000 <= nowMs) return null;
  const subject = claims["sub"];
  return { sub: typeof subject === "string" && subject !== "" ? subject : undefined };
}

function isHs256(header: string): boolean {
  const value = parseJson(Buffer.from(header, "base64url").toString("utf8"));
  return isObject(value) && value["alg"] === "HS256";
}

import { lookup as resolveName } from "node:dns";
import { request as requestPlain, type IncomingMessage } from "node:http";
import { request as requestSecure } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { errorText } from "../../../core/index.ts";
import { deadline } from "../../../platform/index.ts";
import type { ServerContext } from "../../context.ts";
import { HttpError, badRequest } from "../../http-error.ts";

const LIMIT_MS = 30_000;
const MAX_REDIRECTS = 5;

/** Addresses of this machine and its network, which a server that others can reach must not be sent to. */
const INSIDE = new BlockList();
for (const [net, bits] of [["0.0.0.0", 8], ["10.0.0.0", 8], ["100.64.0.0", 10], ["127.0.0.0", 8], ["169.254.0.0", 16], ["172.16.0.0", 12], ["192.168.0.0", 16]] as const) INSIDE.addSubnet(net, bits);
for (const [net, bits] of [["::", 127], ["::ffff:0:0", 96], ["64:ff9b::", 96], ["fc00::", 7], ["fe80::", 10]] as const) INSIDE.addSubnet(net, bits, "ipv6");

/**
 * The bytes behind an http(s) address, at most `max`. Throws 400 for an address that may not be asked, 413 for too much,
 * 502 when it does not answer well. A server that only its own machine reaches may ask everywhere: so may its users.
 */
export async function fetchBytes(ctx: Pick<ServerContext, "clock" | "local">, address: string, max: number): Promise<Buffer> {
  const limit = deadline(ctx.clock, LIMIT_MS);
  try {
    let url = checked(ctx, address);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const response = await send(ctx, url, limit.signal);
      const status = response.statusCode ?? 0;
      const target = response.headers.location;
      if (status >= 300 && status < 400 && target !== undefined && URL.canParse(target, url.href)) {
        response.destroy();
        url = checked(ctx, new URL(target, url).href);
        continue;
      }
      if (status !== 200) {
        response.destroy();
        throw new HttpError(502, `${url.host} answered with status ${status}`);
      }
      return await collect(response, max);
    }
    throw new HttpError(502, `${url.host} redirects without end`);
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new HttpError(502, `the address cannot be reached: ${errorText(error)}`, { cause: error });
  } finally {
    limit.done();
  }
}

function checked(ctx: Pick<ServerContext, "local">, address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) throw badRequest("url must be an http or https address");
  if (url.username !== "" || url.password !== "") throw badRequest("url must not carry credentials");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  // A name is judged by what it resolves to, at the moment of connecting.
  if (isIP(host) !== 0 && isInside(ctx, host)) throw inside();
  return url;
}

function send(ctx: Pick<ServerContext, "local">, url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? requestSecure : requestPlain;
  return new Promise((resolve, reject) => {
    const sent = request(url, { signal, lookup: guardedLookup(ctx), headers: { accept: "*/*", "user-agent": "multica" } }, resolve);
    sent.on("error", reject);
    sent.end();
  });
}

/** Looks the name up once and connects to what was looked at: a second look-up could answer differently. */
function guardedLookup(ctx: Pick<ServerContext, "local">): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) return callback(error ?? new Error(`${hostname} has no address`), "", 4);
      if (addresses.some((one) => isInside(ctx, one.address))) return callback(inside() as NodeJS.ErrnoException, "", 4);
      return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
}

function isInside(ctx: Pick<ServerContext, "local">, address: string): boolean {
  return !ctx.local && INSIDE.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

function inside(): HttpError {
  return badRequest("url leads into the server's own network");
}

async function collect(response: IncomingMessage, max: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > max) throw new HttpError(413, `the answer has more than ${max} bytes`);
  }
  return Buffer.concat(chunks);
}

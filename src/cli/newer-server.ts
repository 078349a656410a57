import { RequestError } from "../lib/api/errors.ts";
import { EXIT, MulticaError, parseJson } from "../lib/core/index.ts";

/**
 * A call to a route that older servers do not have: their bare 404 and their 405 become "not found" (exit 4) with the likely
 * reason (cli.md 4.12). A 404 with a JSON body is the route's own answer and stays.
 */
export async function newerServer<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const bare = error instanceof RequestError && (error.status === 405 || (error.status === 404 && typeof parseJson(error.body) !== "object"));
    if (!bare) throw error;
    throw new MulticaError("not_found", `the server has no ${what}: it may be too old`, { cause: error, exit: EXIT.notFound });
  }
}

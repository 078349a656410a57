/** RFC 3339 in UTC with second precision: how every time but a task message's goes over the wire (server-api.md 1.1). */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Like isoSeconds; null stays null. */
export function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : isoSeconds(ms);
}

/** RFC 3339 with nine decimals, as task messages carry it (the clock gives three of them). */
export function isoNanos(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000000Z`;
}

/** When a schedule fires: sets of allowed values of local time. */
export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Both fields of the day restricted: either is enough, as cron has always had it. */
  readonly eitherDay: boolean;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const SHORTHANDS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** The five fields of a cron expression, or null when it is none: lists, ranges, steps, names, `@daily` and the like. */
export function parseCron(text: string): Cron | null {
  const trimmed = text.trim().toLowerCase();
  const fields = (SHORTHANDS[trimmed] ?? trimmed).split(/\s+/);
  if (fields.length !== 5) return null;
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = fields;
  const minutes = parseField(minute, 0, 59, []);
  const hours = parseField(hour, 0, 23, []);
  const days = parseField(day, 1, 31, []);
  const months = parseField(month, 1, 12, ["", ...MONTHS]);
  const weekdays = parseField(weekday, 0, 7, WEEKDAYS);
  if (minutes === null || hours === null || days === null || months === null || weekdays === null) return null;
  if (weekdays.has(7)) weekdays.add(0);
  return { minutes, hours, days, months, weekdays, eitherDay: !day.startsWith("*") && !weekday.startsWith("*") };
}

function parseField(field: string, min: number, max: number, names: readonly string[]): Set<number> | null {
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const match = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d{1,2}))?$/.exec(part);
    if (match === null) return null;
    const [, from = "", to, every] = match;
    const step = every === undefined ? 1 : Number(every);
    if (step < 1 || (from === "*" && to !== undefined)) return null;
    const first = from === "*" ? min : valueOf(from, names);
    // `5/15` means from five on, `5` only five.
    const last = to !== undefined ? valueOf(to, names) : from === "*" || every !== undefined ? max : first;
    if (Number.isNaN(first) || Number.isNaN(last) || first < min || last > max || first > last) return null;
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return values;
}

function valueOf(text: string, names: readonly string[]): number {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  const index = text === "" ? -1 : names.indexOf(text);
  return index === -1 ? Number.NaN : index;
}

const MINUTE_MS = 60_000;
/** Leap years are at most eight years apart: what does not fire by then never does. */
const HORIZON_MS = 9 * 366 * 24 * 3_600_000;

interface Local {
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  readonly weekday: number;
}

/**
 * The next time after `afterMs` (epoch milliseconds, whole minutes) at which the schedule fires in the time zone, or null
 * when it never does. An hour that a change of the clocks skips does not fire; one that comes twice fires the first time
 * only, unless the schedule names every hour.
 */
export function nextRun(cron: Cron, timezone: string, afterMs: number): number | null {
  const local = localTime(timezone);
  const everyHour = cron.hours.size === 24;
  let at = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS;
  const end = at + HORIZON_MS;
  while (at < end) {
    const now = local(at);
    if (!matchesDay(cron, now)) at += dayStep(now);
    else if (!cron.hours.has(now.hour)) at += (60 - now.minute) * MINUTE_MS;
    else if (!cron.minutes.has(now.minute)) at += minuteStep(cron, now.minute) * MINUTE_MS;
    else if (!everyHour && isSecondTime(local, at, now)) at += MINUTE_MS;
    else return at;
  }
  return null;
}

/** To the next hour, or, in the middle of a day, well into its evening: changes of the clocks never take that long. */
function dayStep(now: Local): number {
  const toHour = (60 - now.minute) * MINUTE_MS;
  return now.hour < 20 ? toHour + (20 - now.hour) * 3_600_000 : toHour;
}

function minuteStep(cron: Cron, minute: number): number {
  for (let next = minute + 1; next < 60; next += 1) if (cron.minutes.has(next)) return next - minute;
  return 60 - minute;
}

function matchesDay(cron: Cron, now: Local): boolean {
  if (!cron.months.has(now.month)) return false;
  const [day, weekday] = [cron.days.has(now.day), cron.weekdays.has(now.weekday)];
  return cron.eitherDay ? day || weekday : day && weekday;
}

function isSecondTime(local: (at: number) => Local, at: number, now: Local): boolean {
  const before = local(at - 60 * MINUTE_MS);
  return before.hour === now.hour && before.minute === now.minute && before.day === now.day;
}

/** Throws a RangeError for a name that is no time zone. */
function localTime(timezone: string): (at: number) => Local {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    hourCycle: "h23",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    weekday: "short",
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map((part) => [part.type, part.value]));
    const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
    return {
      minute: number("minute"),
      hour: number("hour"),
      day: number("day"),
      month: number("month"),
      weekday: WEEKDAYS.indexOf((parts.get("weekday") ?? "").toLowerCase()),
    };
  };
}

/** True when the platform knows the time zone. */
export function isTimezone(name: string): boolean {
  try {
    localTime(name);
    return true;
  } catch {
    return false;
  }
}

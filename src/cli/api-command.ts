import { BaseCommand, type GlobalValues } from "./base-command.ts";
import { openSession, type Session } from "./session.ts";

/** A command that talks to the server. Its local checks come first: touching `session` checks the credentials (cli.md 3.4). */
export abstract class ApiCommand extends BaseCommand {
  protected session(flags: GlobalValues): Session {
    return openSession(this.context(flags));
  }
}

// The parts of the framework that commands use, by their narrow paths: the package's own index loads everything.
export { Command } from "@oclif/core/command";
export * as Flags from "@oclif/core/flags";
export * as Args from "@oclif/core/args";

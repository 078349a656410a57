// Who may import whom (docs/architecture.md). What is not listed is not allowed.
const allowed = {
  core: [],
  wire: ["core"],
  platform: ["core"],
  config: ["core", "platform", "wire"],
  state: ["core", "platform", "wire"],
  api: ["core", "platform", "wire"],
  repos: ["core", "platform", "wire"],
  exec: ["core", "platform", "wire"],
  agents: ["core", "platform", "wire", "exec"],
  execenv: ["core", "platform", "wire", "repos"],
  daemon: ["core", "platform", "wire", "config", "state", "api", "repos", "exec", "agents", "execenv"],
  server: ["core", "platform", "wire", "state"],
  setup: ["core", "platform", "wire", "config", "api"],
  doctor: ["core", "platform", "wire", "config", "state", "api", "repos", "execenv"],
};
const rooms = Object.keys(allowed);

const roomRules = rooms.map((room) => ({
  name: `room-${room}`,
  comment: `${room} may import only ${allowed[room].join(", ") || "nothing of ours"}`,
  severity: "error",
  from: { path: `^src/lib/${room}/` },
  to: {
    path: "^src/",
    pathNot: [`^src/lib/${room}/`, ...allowed[room].map((other) => `^src/lib/${other}/`)],
  },
}));

/** A library and the only places that may load it; type-only imports are free. */
const libraries = {
  "simple-git": "^src/lib/repos/",
  execa: "^src/lib/platform/",
  ky: "^src/lib/api/",
  ws: "^src/lib/(api|server|daemon/local-port)/",
  hono: "^src/lib/(server|daemon/local-port)/",
  "@hono/node-server": "^src/lib/(server|daemon/local-port)/",
  conf: "^src/lib/config/",
  chalk: "^src/views/",
  listr2: "^src/views/",
  pino: "^src/lib/platform/",
  "@lydell/node-pty": "^src/lib/platform/",
  zod: "^src/lib/(wire|config|api)/",
};

const libraryRules = Object.entries(libraries).map(([name, home]) => ({
  name: `library-${name}`,
  severity: "error",
  from: { path: "^src/", pathNot: home },
  to: { path: `^node_modules/${name}/`, dependencyTypesNot: ["type-only"] },
}));

export default {
  forbidden: [
    { name: "no-circular", severity: "error", from: { path: "^src/" }, to: { circular: true } },
    {
      name: "no-orphans",
      comment: "a file that nobody imports and that is no entry is dead",
      severity: "error",
      from: {
        orphan: true,
        path: "^src/",
        pathNot: ["^src/commands/", "^src/hooks/", "^src/help\\.ts$", "^src/cli/main\\.ts$", "/main\\.ts$", "^src/lib/state/index-db/worker\\.ts$"],
      },
      to: {},
    },
    ...roomRules,
    ...libraryRules,
    {
      name: "agents-not-in-execenv",
      comment: "execenv may use agent specs as data only",
      severity: "error",
      from: { path: "^src/lib/execenv/" },
      to: { path: "^src/lib/agents/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "core-is-pure",
      severity: "error",
      from: { path: "^src/lib/core/" },
      to: { path: "^(node:)?(fs|net|child_process|os|http|https|worker_threads)(/|$)" },
    },
    {
      name: "child-processes-in-platform",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/lib/platform/" },
      to: { path: "^(node:)?child_process$" },
    },
    {
      name: "sqlite-in-platform",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/lib/platform/" },
      to: { path: "^(node:)?sqlite$" },
    },
    {
      name: "views-are-leaves",
      severity: "error",
      from: { path: "^src/views/" },
      to: { path: "^src/(commands|cli|hooks|lib/(?!core/|wire/|platform/))", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "commands-do-not-import-commands",
      severity: "error",
      from: { path: "^src/commands/(.+)$" },
      to: { path: "^src/commands/", pathNot: "^src/commands/$1$" },
    },
    {
      name: "library-does-not-know-commands",
      severity: "error",
      from: { path: "^src/lib/" },
      to: { path: "^src/(commands|cli|views|hooks)/" },
    },
    {
      name: "state-is-opened-by-entries",
      comment: "only entry points open state (the daemon, a command, the index's thread); everything else takes a handle or null",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/lib/daemon/start\\.ts$", "^src/cli/(session-index|state-backfill|state-file)\\.ts$", "^src/lib/state/index-db/worker\\.ts$"] },
      to: { path: "^src/lib/state/(open|index-db/(open|worker-index))\\.ts$", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "not-to-dev-dep",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown", "unknown"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};

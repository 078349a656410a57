import tseslint from "typescript-eslint";

const PROCESS_RULE = [
  { object: "process", property: "kill", message: "Signals belong to platform/process." },
  { object: "process", property: "exit", message: "Only bin/ ends the process; set an exit code or throw." },
];

export default tseslint.config(
  { ignores: ["dist/**", "node_modules/**", "test/fixtures/**", ".cache/**", "coverage/**"] },
  {
    files: ["src/**/*.ts", "test/**/*.ts", "bench/**/*.ts", "scripts/**/*.ts"],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/only-throw-error": ["error", { allowThrowingUnknown: true, allowThrowingAny: true }],
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "max-lines": ["error", { max: 350 }],
      "max-lines-per-function": ["error", { max: 60, skipComments: true, skipBlankLines: true }],
      "no-restricted-imports": ["error", { patterns: [{ regex: "^(fs|path|os|child_process|crypto|net|http|url|util|stream|events)(/.*)?$", message: "Use the node: prefix." }] }],
    },
  },
  {
    files: ["src/**/*.ts"],
    ignores: ["src/lib/platform/**"],
    rules: {
      "no-restricted-properties": [
        "error",
        ...PROCESS_RULE,
        { object: "Date", property: "now", message: "Take a Clock." },
      ],
      "no-restricted-globals": [
        "error",
        { name: "setTimeout", message: "Take a Clock." },
        { name: "setInterval", message: "Take a Clock." },
      ],
    },
  },
  {
    files: ["src/**/*.ts"],
    ignores: ["src/lib/platform/**", "src/lib/config/**"],
    rules: {
      "no-restricted-syntax": [
        "error",
        { selector: "MemberExpression[object.name='process'][property.name='env']", message: "process.env is read in platform and config only." },
      ],
    },
  },
  {
    files: ["src/**/*.ts"],
    ignores: ["src/views/**"],
    rules: { "no-console": "error" },
  },
  {
    // The daemon's rooms stay small enough to be read at one sitting.
    files: ["src/lib/daemon/**/*.ts"],
    rules: { "max-lines": ["error", { max: 250 }] },
  },
  {
    files: ["test/**/*.ts", "bench/**/*.ts"],
    rules: { "max-lines": ["error", { max: 600 }], "max-lines-per-function": "off" },
  },
);

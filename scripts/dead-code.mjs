// Unused exports of values and types in src. A name counts as used when another file imports it (through any chain of
// re-exports) or, for `import("…")`, when the importing file mentions the name at all. Tests, benches and scripts count
// as users: a pure function may be exported to be tested. A type that its own file uses may be exported unused: it is the
// name of a parameter or a result. Unused files are found by the import rules (no-orphans).
import { readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
// Loaded by oclif, by bin/ or as processes of their own: what they export is read from outside.
const entries = /^src\/(commands\/|hooks\/|help\.ts$|cli\/(main|version)\.ts$|lib\/(daemon|server|exec\/host)\/main\.ts$|lib\/state\/index-db\/worker\.ts$)/;

const files = ["src", "test", "bench", "scripts"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name)),
);

/** path → {exports: Set, reexports: [{from, name|null, as|null}], uses: [{from, name|null}]} */
const modules = new Map(files.map((path) => [path, read(path)]));

function read(path) {
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  const module = { exports: new Set(), reexports: [], uses: [], dynamic: [], words: new Map(), types: new Set() };
  const target = (node) => resolve(dirname(path), node.text);
  for (const node of source.statements) {
    if (ts.isImportDeclaration(node)) readImport(node, target(node.moduleSpecifier), module);
    else if (ts.isExportDeclaration(node)) readExport(node, target, module);
    else if (node.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)) declared(node, module);
  }
  const visit = (node) => {
    if (ts.isIdentifier(node)) module.words.set(node.text, (module.words.get(node.text) ?? 0) + 1);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument !== undefined && ts.isStringLiteral(argument)) module.dynamic.push(target(argument));
    }
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) module.dynamic.push(target(node.argument.literal));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return module;
}

function readImport(node, from, module) {
  const bindings = node.importClause?.namedBindings;
  if (bindings === undefined) return;
  if (ts.isNamespaceImport(bindings)) module.dynamic.push(from);
  else for (const element of bindings.elements) module.uses.push({ from, name: (element.propertyName ?? element.name).text });
}

function readExport(node, target, module) {
  const clause = node.exportClause;
  if (node.moduleSpecifier === undefined) {
    for (const element of clause?.elements ?? []) module.exports.add(element.name.text);
    return;
  }
  const from = target(node.moduleSpecifier);
  if (clause === undefined) module.reexports.push({ from, name: null, as: null });
  else for (const element of clause.elements ?? []) {
    module.reexports.push({ from, name: (element.propertyName ?? element.name).text, as: element.name.text });
  }
}

function declared(node, module) {
  if (node.modifiers.some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword)) return;
  if (ts.isVariableStatement(node)) {
    for (const declaration of node.declarationList.declarations) {
      if (ts.isIdentifier(declaration.name)) module.exports.add(declaration.name.text);
      else for (const element of declaration.name.elements) if (ts.isIdentifier(element.name)) module.exports.add(element.name.text);
    }
  } else if (node.name !== undefined) {
    module.exports.add(node.name.text);
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) module.types.add(node.name.text);
  }
}

const used = new Set();
const key = (path, name) => `${path}\0${name}`;

/** Marks `name` as seen from `path`, following re-exports to where it is declared. */
function mark(path, name) {
  const module = modules.get(path);
  if (module === undefined || used.has(key(path, name))) return;
  used.add(key(path, name));
  for (const { from, name: original, as } of module.reexports) {
    if (original === null) mark(from, name);
    else if (as === name) mark(from, original);
  }
}

for (const module of modules.values()) {
  for (const { from, name } of module.uses) mark(from, name);
  for (const from of module.dynamic) if (statSync(from, { throwIfNoEntry: false }) !== undefined) for (const word of module.words.keys()) mark(from, word);
}

/** True for a type that the file which declares it uses itself. */
function isLocalType(path, name) {
  const module = modules.get(path);
  if (module === undefined) return false;
  if (module.types.has(name)) return (module.words.get(name) ?? 0) > 1;
  return module.reexports.some(({ from, name: original, as }) => as === name && isLocalType(from, original));
}

let count = 0;
for (const [path, module] of modules) {
  const shown = relative(root, path);
  if (!shown.startsWith("src/") || entries.test(shown)) continue;
  const names = [...module.exports, ...module.reexports.flatMap(({ as }) => (as === null ? [] : [as]))];
  const unused = names.filter((name) => !used.has(key(path, name)) && !isLocalType(path, name));
  if (unused.length === 0) continue;
  count += unused.length;
  console.error(`${shown}: nobody imports ${unused.join(", ")}`);
}
process.exitCode = count === 0 ? 0 : 1;

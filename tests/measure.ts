// Prints how the code has grown: lines of files and functions, parameters, circles of imports, and where the name of a kind of
// job stands as a literal. It judges nothing.
import ts from "typescript";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { JOB_KINDS } from "../shared/job_kinds/all.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDERS = ["server", "agent", "shared", "templates"];
const FLAT = /^server\/database\/(migrations|tables)/;
const LONG = 60;
const MANY = 4;
// What a kind of job is made of, and the table that names it.
const MODULES = /\/(job_kinds|kinds)\/|^agent\/jobs\/kinds\.ts$|^agent\/restic\/[a-z_]+\.ts$/;

interface Measured {
  name: string;
  file: string;
  line: number;
  lines: number;
  parameters: number;
}

const files = FOLDERS.flatMap(sources);
const program = ts.createProgram(files, {
  allowImportingTsExtensions: true,
  jsx: ts.JsxEmit.Preserve,
  lib: ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  noEmit: true,
  strict: true,
  target: ts.ScriptTarget.ESNext,
});
const checker = program.getTypeChecker();
const parsed = files.map((file) => program.getSourceFile(file)!);
const functions = parsed.flatMap(functionsOf);

for (const folder of FOLDERS) sizes(folder);
list(`functions above ${LONG} lines, without migrations and tables`, longest());
list(`functions with more than ${MANY} parameters`, manyParameters(MANY));
console.log(`\n${manyParameters(3).length} functions with more than 3 parameters`);
list("circles of value imports", circles());
list("names of kinds of job as literals outside their modules", kindLiterals());

function sources(folder: string): string[] {
  return [...Deno.readDirSync(ROOT + folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return sources(path);
    return /\.tsx?$/.test(name) ? [ROOT + path] : [];
  }).sort();
}

function nameOf(file: ts.SourceFile): string {
  return relative(ROOT, file.fileName);
}

function lineOf(file: ts.SourceFile, at: number): number {
  return file.getLineAndCharacterOfPosition(at).line + 1;
}

function functionsOf(file: ts.SourceFile): Measured[] {
  const found: Measured[] = [];
  visit(file, (node) => {
    if (!ts.isFunctionLike(node) || !("body" in node) || !node.body) return;
    const [from, to] = [lineOf(file, node.getStart(file)), lineOf(file, node.end)];
    found.push({
      name: functionName(node, file),
      file: nameOf(file),
      line: from,
      lines: to - from + 1,
      parameters: node.parameters.length,
    });
  });
  return found;
}

function functionName(node: ts.SignatureDeclaration, file: ts.SourceFile): string {
  if (node.name) return node.name.getText(file);
  const { parent } = node;
  const isNamed = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent);
  return isNamed ? parent.name.getText(file) : "(without a name)";
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  node.forEachChild((child) => visit(child, see));
}

function sizes(folder: string): void {
  const mine = ({ file }: { file: string }) => file.startsWith(`${folder}/`) && !FLAT.test(file);
  const lines = parsed.map((file) => ({ file: nameOf(file), lines: lineOf(file, file.end) }))
    .filter(mine).map((each) => each.lines);
  const lengths = functions.filter(mine).map((each) => each.lines);
  console.log(`${folder}: ${lines.length} files, ${sum(lines)} lines; ${spread(lines)}`);
  console.log(`${folder}: ${lengths.length} functions; ${spread(lengths)}`);
}

function sum(numbers: number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}

function spread(numbers: number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
  return `median ${at(0.5)}, p95 ${at(0.95)}, longest ${at(1)} lines`;
}

function list(title: string, rows: string[]): void {
  console.log(`\n${rows.length} ${title}`);
  for (const row of rows) console.log(`  ${row}`);
}

function longest(): string[] {
  return functions.filter(({ lines, file }) => lines > LONG && !FLAT.test(file))
    .sort((a, b) => b.lines - a.lines)
    .map(({ lines, name, file, line }) => `${lines} lines  ${name}  ${file}:${line}`);
}

function manyParameters(most: number): string[] {
  return functions.filter(({ parameters }) => parameters > most)
    .sort((a, b) => b.parameters - a.parameters)
    .map(({ parameters, name, file, line }) => `${parameters}  ${name}  ${file}:${line}`);
}

/** Each circle once, as the files that are in it. */
function circles(): string[] {
  const imports = new Map(parsed.map((file) => [nameOf(file), valueImports(file)]));
  const reached = new Map([...imports.keys()].map((file) => [file, reach(file, imports)]));
  const seen = new Set<string>();
  return [...imports.keys()].flatMap((file) => {
    const circle = [...reached.get(file)!].filter((other) => reached.get(other)?.has(file));
    if (seen.has(file) || circle.length === 0) return [];
    for (const other of circle) seen.add(other);
    return [circle.sort().join(" ")];
  });
}

function reach(from: string, imports: Map<string, string[]>): Set<string> {
  const reached = new Set<string>();
  const next = [...imports.get(from)!];
  for (let file = next.pop(); file !== undefined; file = next.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    next.push(...imports.get(file) ?? []);
  }
  return reached;
}

function valueImports(file: ts.SourceFile): string[] {
  return file.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const { moduleSpecifier } = statement;
    if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier) || isTypeAlone(statement)) {
      return [];
    }
    if (!moduleSpecifier.text.startsWith(".")) return [];
    return [
      relative(ROOT, fileURLToPath(new URL(moduleSpecifier.text, `file://${file.fileName}`))),
    ];
  });
}

function isTypeAlone(statement: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(statement)) return statement.isTypeOnly;
  const clause = statement.importClause;
  if (!clause) return false;
  const named = clause.namedBindings;
  return clause.isTypeOnly || !clause.name && named !== undefined && ts.isNamedImports(named) &&
      named.elements.every(({ isTypeOnly }) => isTypeOnly);
}

/** By type and not by text: a "check" that is no kind of job is none of them. */
function kindLiterals(): string[] {
  return parsed.filter((file) => !MODULES.test(nameOf(file))).flatMap((file) => {
    const found: string[] = [];
    visit(file, (node) => {
      if (!ts.isStringLiteral(node) || !(JOB_KINDS as readonly string[]).includes(node.text)) {
        return;
      }
      if (isKind(node)) {
        found.push(`${node.getText(file)}  ${nameOf(file)}:${lineOf(file, node.getStart(file))}`);
      }
    });
    return found;
  });
}

/** Whether what is expected in the literal's place, or what it is compared with, is a kind of job. */
function isKind(node: ts.StringLiteral): boolean {
  const { parent } = node;
  if (ts.isBinaryExpression(parent)) {
    const other = parent.left === node ? parent.right : parent.left;
    return isOfKinds(checker.getTypeAtLocation(other));
  }
  if (ts.isCaseClause(parent)) {
    return isOfKinds(checker.getTypeAtLocation(parent.parent.parent.expression));
  }
  if (ts.isLiteralTypeNode(parent)) return isOfKinds(checker.getTypeAtLocation(parent.parent));
  const expected = checker.getContextualType(node);
  return expected !== undefined && isOfKinds(expected);
}

/** Two or more kinds of job and nothing else: one alone may be a word of its own. */
function isOfKinds(type: ts.Type): boolean {
  const parts = type.isUnion() ? type.types.filter((each) => !isNothing(each)) : [];
  return parts.length > 1 &&
    parts.every((each) =>
      each.isStringLiteral() && (JOB_KINDS as readonly string[]).includes(each.value)
    );
}

function isNothing(type: ts.Type): boolean {
  return (type.flags & (ts.TypeFlags.Null | ts.TypeFlags.Undefined)) !== 0;
}

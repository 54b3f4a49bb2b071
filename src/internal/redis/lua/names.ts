/**
 * Checks that every name in the Lua sources is defined. A misspelt name is a global in Lua, which is nil: without this check it
 * would fail in the program that reaches it. Each file says in its header which names of other files it uses:
 *
 * ```lua
 * -- One or two sentences: what the file does.
 * -- uses: call, code, fail (call) · record, chunked (journal)
 * ```
 */
import type { Chunk, Identifier, Node } from "luaparse"

/** A file; or a family of files, and the function that makes it. */
export type Source =
  | { readonly file: string; readonly text: string }
  | { readonly maker: string; readonly sources: ReadonlyArray<Source> }

/** The globals of Redis that the script uses. Any file may use them. */
const globals: ReadonlySet<string> = new Set(
  "ARGV KEYS cjson error ipairs math pairs pcall redis string struct table tonumber type unpack".split(" ")
)

/** The members that Lua reads and no Lua file writes: those of a specification (`toWire` in `wire.ts`), and of an error of Redis. */
const members: ReadonlySet<string> = new Set(
  "f k d ge gt le lt minl maxl minc maxc z of life ms slack access cs fo fs ic err ix iv one names vs part list name score v codes w uniq live plan sc sum"
    .split(" ")
)

/** Variables that one file declares and another assigns. They stand in these files alone, each with a comment. */
const sharedIn: ReadonlySet<string> = new Set(["input", "call", "program"])

const usesOf = (text: string): ReadonlyMap<string, string> => {
  const header = /^(?:--.*\n)*/.exec(text)![0].replaceAll(/\s*-- */g, " ").trim()
  const uses = new Map<string, string>()
  for (const group of /uses: (.*)$/.exec(header)?.[1]?.split("·") ?? []) {
    const [, names = "", stem = ""] = /^(.*)\((\w+)\)$/.exec(group.trim()) ?? []
    for (const name of names.split(",")) uses.set(name.trim(), stem)
  }
  return uses
}

function* nodesOf(value: unknown): Generator<Node> {
  if (typeof value !== "object" || value === null) return
  if ("type" in value) yield value as Node
  for (const child of Object.values(value)) yield* nodesOf(child)
}

const definitionsOf = (chunk: Chunk): ReadonlyArray<string> =>
  chunk.body.flatMap((statement) =>
    statement.type === "LocalStatement"
      ? statement.variables.map(({ name }) => name)
      : statement.type === "FunctionDeclaration" && statement.isLocal && statement.identifier?.type === "Identifier"
      ? [statement.identifier.name]
      : []
  )

export const checkNames = async (
  sources: ReadonlyArray<Source>,
  files: ReadonlyArray<string>
): Promise<ReadonlyArray<string>> => {
  const { default: Parser } = await import("luaparse")
  const problems: Array<string> = []
  const seen = new Set<string>()
  const written = new Set(members)
  const read: Array<readonly [where: string, member: string]> = []

  const checkFile = (file: string, text: string, scope: Map<string, string>): void => {
    seen.add(file)
    if (!text.startsWith("-- ")) problems.push(`${file}: begins with no comment that says what it does`)
    const options = { scope: true, locations: true, luaVersion: "5.1", encodingMode: "x-user-defined" } as const
    // `scope` adds the names that the file does not define, once each; the types of luaparse do not know them
    const chunk = Parser.parse(text, options) as Chunk & { readonly globals: ReadonlyArray<Identifier> }
    const stem = file.replace(".lua", "")
    const uses = usesOf(text)
    const free = new Map(
      chunk.globals.filter(({ name }) => !globals.has(name)).map((node) => [node.name, node.loc!.start.line])
    )
    for (const [name, line] of free) {
      if (!uses.has(name)) problems.push(`${file}:${line}: "${name}" is no local, and is not in the line "uses:"`)
    }
    for (const [name, from] of uses) {
      if (scope.get(name) !== from) problems.push(`${file}: uses: "${name}" is not defined above by "${from}"`)
      else if (!free.has(name)) problems.push(`${file}: uses: "${name}" is not used`)
    }
    for (const node of nodesOf(chunk)) {
      const assigned: ReadonlyArray<unknown> = node.type === "AssignmentStatement"
        ? node.variables
        : node.type === "FunctionDeclaration"
        ? [node.identifier]
        : []
      for (const target of assigned as ReadonlyArray<Node | null>) {
        if (target?.type === "MemberExpression") written.add(target.identifier.name)
        if (target?.type === "Identifier" && uses.has(target.name) && !sharedIn.has(uses.get(target.name)!)) {
          problems.push(`${file}: assigns "${target.name}" of ${uses.get(target.name)}.lua`)
        }
      }
      if (node.type === "TableKeyString") written.add(node.key.name)
      if (node.type === "MemberExpression" && !(node.base.type === "Identifier" && globals.has(node.base.name))) {
        read.push([`${file}:${node.loc!.start.line}`, node.identifier.name])
      }
    }
    for (const name of definitionsOf(chunk)) {
      // a lazy family may define a local under the name of the shared variable that will hold it
      if (scope.has(name) && !sharedIn.has(scope.get(name)!)) {
        problems.push(`${file}: "${name}" is defined by "${scope.get(name)}" already`)
      }
      scope.set(name, stem)
    }
  }

  const check = (items: ReadonlyArray<Source>, scope: Map<string, string>): void => {
    for (const item of items) {
      if ("file" in item) {
        checkFile(item.file, item.text, scope)
      } else {
        check(item.sources, new Map(scope))
        scope.set(item.maker, "order")
      }
    }
  }
  check(sources, new Map())

  for (const [where, member] of read) {
    if (!written.has(member)) problems.push(`${where}: no file writes the member "${member}"`)
  }
  for (const file of files) {
    if (!seen.has(file)) problems.push(`${file} is not in order.ts`)
  }
  return problems
}

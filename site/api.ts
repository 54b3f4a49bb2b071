/**
 * The reference of the API: a page for each public module, from the docstrings. typedoc reads the declaration files, so a signature is what
 * an editor shows.
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import {
  Application,
  type Comment,
  type CommentDisplayPart,
  type Context,
  Converter,
  type DeclarationReflection,
  ReflectionKind
} from "typedoc"
import ts from "typescript"

const site = import.meta.dirname
const root = Path.join(site, "..")

/** The declaration files of the library. */
export const declarations = Path.join(site, ".types")

const target = Path.join(site, ".pages/api")

/** The public modules, in the order of their names. */
export const modules = (): ReadonlyArray<string> =>
  Fs.globSync("*.ts", { cwd: Path.join(root, "src") }).map((file) => file.slice(0, -3)).filter((name) =>
    name !== "index"
  ).sort()

/** The modules that `redlayer` itself exports. */
const exported = (): ReadonlySet<string> =>
  new Set(
    [...Fs.readFileSync(Path.join(root, "src/index.ts"), "utf8").matchAll(/^export \* as (\w+) from/gm)].map((
      [, name]
    ) => name!)
  )

export const apiPages = (): ReadonlyArray<{ readonly text: string; readonly link: string }> => [
  { text: "Modules", link: "/api/" },
  ...modules().map((name) => ({ text: name, link: `/api/${name}` }))
]

/** Writes the declaration files, with the compiler of the build. */
export const makeDeclarations = (): void => {
  Fs.rmSync(declarations, { recursive: true, force: true })
  execFileSync(
    process.execPath,
    [
      Path.join(root, "node_modules/typescript/bin/tsc"),
      "-p",
      Path.join(root, "tsconfig.build.json"),
      "--emitDeclarationOnly",
      "--declarationMap",
      "false",
      "--customConditions",
      "redlayer-source",
      "--outDir",
      declarations
    ],
    { stdio: "inherit" }
  )
}

const escape = (text: string): string => text.replaceAll(/<(?=[A-Za-z/!])/g, "&lt;").replaceAll("{{", "&#123;&#123;")

/** An anchor as the site makes it of a heading. */
const anchorOf = (name: string): string => name.toLowerCase()

const moduleOf = (reflection: DeclarationReflection): string => {
  let at: DeclarationReflection = reflection
  while (at.parent !== undefined && !at.parent.isProject()) at = at.parent as DeclarationReflection
  return at.name
}

const linkOf = (from: string, to: DeclarationReflection): string => {
  const module = moduleOf(to)
  const page = module === from ? "" : `./${module}.md`
  return to.name === module ? page : `${page}#${anchorOf(to.name)}`
}

const textOf = (module: string, parts: ReadonlyArray<CommentDisplayPart>): string =>
  parts.map((part) => {
    if (part.kind === "text") return escape(part.text)
    if (part.kind === "code") return part.text
    if (part.kind === "inline-tag") {
      const { target, text } = part
      return typeof target === "object" && "kindOf" in target
        ? `[\`${text}\`](${linkOf(module, target as DeclarationReflection)})`
        : `\`${text}\``
    }
    return part.text
  }).join("").trim()

const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed })

/** A declaration as its file has it, without comments, `export` and `declare`, and with two spaces for an indentation. */
const printed = (node: ts.Node): string => {
  const source = node.getSourceFile()
  const whole = ts.isVariableDeclaration(node) ? node.parent.parent : node
  return printer.printNode(ts.EmitHint.Unspecified, whole, source)
    .replace(/^(export )?(default )?(declare )?/, "")
    .replaceAll(/^( {4})+/gm, (indent) => " ".repeat(indent.length / 2))
    .replaceAll(/;$/gm, "")
}

const fenced = (code: string): string => `\`\`\`ts\n${code}\n\`\`\``

const declarationsOf = (context: Context, reflection: DeclarationReflection): ReadonlyArray<ts.Node> => {
  const symbol = context.getSymbolFromReflection(reflection)
  return (symbol?.getDeclarations() ?? []).filter((node) =>
    ts.isVariableDeclaration(node) || ts.isFunctionDeclaration(node) || ts.isInterfaceDeclaration(node) ||
    ts.isClassDeclaration(node) || ts.isTypeAliasDeclaration(node)
  )
}

const commentOf = (reflection: DeclarationReflection): Comment | undefined =>
  reflection.comment ?? reflection.signatures?.find(({ comment }) => comment !== undefined)?.comment ??
    reflection.getSignature?.comment

const see = (module: string, comment: Comment): string => {
  const tags = comment.blockTags.filter(({ tag }) => tag === "@see")
  return tags.length === 0 ? "" : `See ${tags.map(({ content }) => textOf(module, content)).join("; ")}.`
}

const bodyOf = (module: string, comment: Comment | undefined): ReadonlyArray<string> =>
  comment === undefined ? [] : [textOf(module, comment.summary), see(module, comment)].filter((text) => text !== "")

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ")

/** The members of an interface or a class that have words of their own. */
const members = (context: Context, module: string, reflection: DeclarationReflection): ReadonlyArray<string> => {
  const documented = (reflection.children ?? []).filter((member) =>
    commentOf(member) !== undefined && member.inheritedFrom === undefined && !member.flags.isExternal
  )
  if (documented.length === 0) return []
  const texts = documented.map((member) => bodyOf(module, commentOf(member)))
  if (texts.every((text) => !text.join("\n").includes("\n\n"))) {
    return [
      "| member | |\n| --- | --- |\n" +
      documented.map(({ name }, i) => `| \`${cell(name)}\` | ${cell(texts[i]!.join(" "))} |`).join("\n")
    ]
  }
  return documented.flatMap((member, i) => {
    const nodes = context.getSymbolFromReflection(member)?.getDeclarations() ?? []
    return [
      `#### ${reflection.name}.${member.name}`,
      ...(nodes.length === 0 ? [] : [fenced(nodes.map(printed).join("\n"))]),
      ...texts[i]!
    ]
  })
}

/** The fields of a class whose base is made by Effect Schema: the declaration itself has only the name of that base. */
const fieldsOf = (context: Context, node: ts.Node): ReadonlyArray<string> => {
  if (!ts.isClassDeclaration(node) || !/\bextends \w+_base\b/.test(printed(node))) return []
  const checker = context.programs[0]!.getTypeChecker()
  const own = (file: string) => !file.includes("/node_modules/")
  return checker.getTypeAtLocation(node).getProperties().flatMap((property) => {
    const found = property.getDeclarations() ?? []
    if (/^[~_[]/.test(property.name) && property.name !== "_tag") return []
    if (property.name !== "_tag" && !found.some((at) => own(at.getSourceFile().fileName))) return []
    if (found.some((at) => at.parent === node)) return []
    const type = checker.typeToString(checker.getTypeOfSymbol(property), node, ts.TypeFormatFlags.NoTruncation)
    const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0
    return [`  readonly ${property.name}${isOptional ? "?" : ""}: ${type}`]
  })
}

const signature = (context: Context, node: ts.Node): string => {
  const fields = fieldsOf(context, node)
  if (fields.length === 0) return printed(node)
  return printed(node).replace(/ extends \w+_base \{/, `{\n${fields.join("\n")}`).replace(/(\w)\{\n/, "$1 {\n").replace(
    /\n\n/g,
    "\n"
  )
}

const entry = (context: Context, module: string, reflection: DeclarationReflection): ReadonlyArray<string> => {
  const nodes = declarationsOf(context, reflection)
  const comment = commentOf(reflection)
  return [
    `### ${reflection.name}`,
    ...(nodes.length === 0 ? [] : [fenced(nodes.map((node) => signature(context, node)).join("\n\n"))]),
    ...bodyOf(module, comment),
    ...members(context, module, reflection),
    ...(reflection.kindOf(ReflectionKind.Namespace)
      ? (reflection.children ?? []).flatMap((child) => [
        `#### ${reflection.name}.${child.name}`,
        fenced(declarationsOf(context, child).map(printed).join("\n\n")),
        ...bodyOf(module, commentOf(child))
      ])
      : [])
  ]
}

/** The first comment of a module's source, without its tags. */
const wordsOf = (module: string): string => {
  const source = Fs.readFileSync(Path.join(root, "src", `${module}.ts`), "utf8")
  const comment = /^\/\*\*([^]*?)\*\//.exec(source)?.[1]
  if (comment === undefined) throw new Error(`src/${module}.ts: it does not begin with a comment`)
  return escape(comment.replaceAll(/^ *\* ?/gm, "").replace(/^@\w+[^]*/m, "").trim())
}

const page = (context: Context, module: DeclarationReflection): string => {
  const { name } = module
  const categories = module.categories ?? []
  // the modules with other packages behind them are not among the exports of the whole
  const use = exported().has(name)
    ? `import { ${name} } from "redlayer"`
    : `import * as ${name[0]!.toUpperCase()}${name.slice(1)} from "redlayer/${name}"`
  const entries = categories.length > 0
    ? categories.flatMap(({ children, title }) => [
      `## ${title[0]!.toUpperCase()}${title.slice(1)}`,
      ...children.flatMap((child) => entry(context, name, child as DeclarationReflection))
    ])
    : (module.children ?? []).flatMap((child) => entry(context, name, child))
  return [
    `---\neditLink: false\n---`,
    `# ${name}`,
    wordsOf(name),
    fenced(use),
    ...entries
  ].join("\n\n") + "\n"
}

const firstSentence = (text: string): string => /^[^]*?[.:](?=\s|$)/.exec(text)?.[0].replace(/:$/, ".") ?? text

/** Writes a page for each module, and one of all modules. */
export const makeApi = async (): Promise<void> => {
  const tsconfig = Path.join(declarations, "tsconfig.json")
  Fs.writeFileSync(
    tsconfig,
    JSON.stringify({
      extends: "../../tsconfig.json",
      include: ["**/*.d.ts"],
      compilerOptions: { customConditions: [], skipLibCheck: true, plugins: [] }
    })
  )
  const app = await Application.bootstrap({
    tsconfig,
    entryPoints: modules().map((name) => Path.join(declarations, `${name}.d.ts`)),
    excludeExternals: true,
    excludeInternal: true,
    excludePrivate: true,
    skipErrorChecking: true,
    disableSources: true,
    categorizeByGroup: false,
    sort: ["source-order"],
    logLevel: "Error"
  })
  let context: Context | undefined
  app.converter.on(Converter.EVENT_RESOLVE_END, (resolved) => {
    context = resolved
  })
  const project = await app.convert()
  if (project === undefined || context === undefined || app.logger.hasErrors()) {
    throw new Error("typedoc has read no module")
  }
  Fs.mkdirSync(target, { recursive: true })
  const all = (project.children ?? []).toSorted((a, b) => a.name.localeCompare(b.name))
  if (all.length !== modules().length) throw new Error("typedoc does not have all modules")
  for (const module of all) Fs.writeFileSync(Path.join(target, `${module.name}.md`), page(context, module))
  const rows = all.map((module) =>
    `| [${module.name}](./${module.name}.md) | ${cell(firstSentence(wordsOf(module.name)))} |`
  )
  Fs.writeFileSync(
    Path.join(target, "index.md"),
    `---\neditLink: false\n---\n\n# Modules\n\n\`redlayer\` exports all of them but ` +
      `${modules().filter((name) => !exported().has(name)).map((name) => `\`${name}\``).join(" and ")}. ` +
      `Each is a module of its own, too, such as \`redlayer/Model\`.\n\n| module | |\n| --- | --- |\n${
        rows.join("\n")
      }\n`
  )
}

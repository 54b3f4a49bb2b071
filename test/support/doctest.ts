/**
 * The complete programs in the documentation: every fence tagged `ts run`, in Markdown and in JSDoc. They are compiled
 * together, and run each in a process of its own: in memory, and some of them on a server too.
 *
 * A line `expression // => value`, or `const name = expression // => value`, asserts that the two are equal by
 * `Equal.equals`, and that the line was reached. A statement with an assertion stands on one line.
 */
import { Data, Effect, type Scope } from "effect"
import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Bundle from "./Bundle.ts"

/** A fence that would be skipped silently, or a compiler that says nothing of use. */
export class DoctestError extends Data.TaggedError("DoctestError")<{ readonly message: string }> {}

export interface Example {
  /** Where it stands, such as `README.md:12`. */
  readonly name: string
  /** The program as a reader copies it. */
  readonly source: string
  /** The program as it is run, with its assertions. */
  readonly program: string
  readonly assertions: number
}

const opening = /^(\s*(?:\* ?)?)```ts run\s*$/

/** Two lines before the example's own. */
const header = (assertions: number): string =>
  assertions === 0
    ? "export {}\n\n"
    : `import { Equal as __Equal, Formatter as __Formatter } from "effect"\n` +
      `const __reached = new Set<number>(); process.on("exit", (code) => { if (code === 0 && __reached.size < ${assertions}) ` +
      `{ console.error("an assertion was not reached"); process.exitCode = 1 } }); ` +
      "const __check = (id: number, actual: unknown, expected: unknown): void => { __reached.add(id); " +
      "if (!__Equal.equals(actual, expected)) throw new Error(`expected ${__Formatter.format(expected)}, " +
      "got ${__Formatter.format(actual)}`) }\n"

const instrument = (lines: ReadonlyArray<string>): Pick<Example, "program" | "assertions"> => {
  let assertions = 0
  const body = lines.map((line) => {
    const found = /^(\s*)(.*\S)\s*\/\/ => (.*)$/.exec(line)
    if (found === null) return line
    const [, indent, statement, expected] = found as unknown as [string, string, string, string]
    const id = assertions++
    const name = /^const (\w+)(?:: [^=]+)? = /.exec(statement)?.[1]
    return name === undefined
      ? `${indent}__check(${id}, ${statement}, ${expected})`
      : `${indent}${statement}; __check(${id}, ${name}, ${expected})`
  })
  return { assertions, program: `${header(assertions)}${body.join("\n")}\n` }
}

/** The examples of one file. Throws when a fence could not be read: nothing is skipped. */
export const extract = (file: string, text: string): Array<Example> => {
  const examples: Array<Example> = []
  const lines = text.split("\n")
  for (let i = 0; i < lines.length; i++) {
    if (!lines[i]!.includes("```ts run")) continue
    const name = `${file}:${i + 1}`
    const prefix = opening.exec(lines[i]!)?.[1]
    if (prefix === undefined) throw new DoctestError({ message: `${name}: no fence begins like this` })
    const body: Array<string> = []
    for (i++; i < lines.length && lines[i]!.trimEnd() !== `${prefix}\`\`\``; i++) {
      const line = lines[i]!
      if (!line.startsWith(prefix) && line !== prefix.trimEnd()) {
        throw new DoctestError({ message: `${name}: line ${i + 1} is not of the fence that begins here` })
      }
      body.push(line.slice(prefix.length))
    }
    if (i === lines.length) throw new DoctestError({ message: `${name}: the fence has no end` })
    examples.push({ name, source: `${body.join("\n")}\n`, ...instrument(body) })
  }
  return examples
}

export interface Outcome {
  readonly status: number
  readonly output: string
}

/** Runs a command with its output as one text; an interruption kills it. */
export const command = (
  file: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv }
): Effect.Effect<Outcome> =>
  Effect.callback<Outcome>((resume) => {
    const child = execFile(file, args, { maxBuffer: 16 * 1024 * 1024, ...options }, (error, stdout, stderr) =>
      resume(Effect.succeed({
        status: error === null ? 0 : typeof error.code === "number" ? error.code : 1,
        output: `${stdout}${stderr}${error !== null && typeof error.code === "string" ? error.message : ""}`
      })))
    return Effect.sync(() =>
      child.kill("SIGKILL")
    )
  })

/** The findings of the type checker in a project, one a line. It is the checker of `npm run types`. */
export const typeCheck = Effect.fnUntraced(function*(root: string, project: string, flags: ReadonlyArray<string> = []) {
  const found = yield* command(
    process.execPath,
    [join(root, "node_modules/.bin/effect-tsgo"), "get-exe-path"],
    { cwd: root }
  )
  if (found.status !== 0) return yield* new DoctestError({ message: `no type checker: ${found.output}` })
  return yield* command(found.output.trim(), ["--pretty", "false", "-p", project, ...flags], { cwd: root })
})

/** A directory of the project with a configuration of its own for the type checker; it goes with the scope. */
export const temporaryProject = (root: string, config: object): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      mkdirSync(join(root, ".doctest"), { recursive: true })
      const directory = mkdtempSync(join(root, ".doctest", "run-"))
      writeFileSync(
        join(directory, "tsconfig.json"),
        JSON.stringify({ extends: "../../tsconfig.json", ...config })
      )
      return directory
    }),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )

export interface Compiled extends Example {
  readonly file: string
  /** The same program on the server that the environment names; undefined if that was not asked for. */
  readonly serverFile: string | undefined
  /** The findings of the type checker in the example. */
  readonly problems: ReadonlyArray<string>
}

const memoryLayer = /\bRedisService\.layerMemory(With\b)?/g

/** Whether the program has a layer in memory, in whose place a server may come. */
export const hasMemoryLayer = ({ source }: Example): boolean => source.search(memoryLayer) >= 0

/** The program with the change that a page tells its readers to make: the layer of the environment in place of the one in memory. */
const onServer = (program: string): string =>
  program.replaceAll(
    memoryLayer,
    (_, takesOptions) => `RedisService.layerConfig${takesOptions === undefined ? "()" : ""}`
  )

/** Finding and loading the modules of an example takes longer than running it. */
const bundle = (directory: string, files: ReadonlyArray<string>) =>
  Effect.tryPromise({
    try: () => Bundle.write(files.map((file) => join(directory, file)), directory),
    catch: (cause) => new DoctestError({ message: `an example can't be bundled: ${cause}` })
  })

/**
 * Writes the examples into a project of their own, type-checks them in one go, and makes programs of them. Those of `isForServers` get a
 * second program, which differs in its layer alone: the types of the first one are checked.
 */
export const compile = Effect.fnUntraced(function*(
  root: string,
  examples: ReadonlyArray<Example>,
  isForServers: (example: Example) => boolean = () => false
) {
  const directory = yield* temporaryProject(root, { include: ["*.ts"], compilerOptions: { noUnusedLocals: false } })
  // beside the project, so that the type checker does not see them
  mkdirSync(join(directory, "server"))
  const files = examples.map((example, i) => {
    const file = `${i}_${example.name.replaceAll(/\W+/g, "_")}.ts`
    writeFileSync(join(directory, file), example.program)
    if (!isForServers(example)) return { file, serverFile: undefined }
    writeFileSync(join(directory, "server", file), onServer(example.program))
    return { file, serverFile: `server/${file}` }
  })
  const { output, status } = yield* typeCheck(root, directory)
  const compiled = examples.map((example, i): Compiled => {
    const { file, serverFile } = files[i]!
    return {
      ...example,
      file: join(directory, file.replace(/ts$/, "mjs")),
      serverFile: serverFile === undefined ? undefined : join(directory, serverFile.replace(/ts$/, "mjs")),
      problems: output.split("\n").filter((line) => line.includes(`/${file}(`))
    }
  })
  // a compiler that fails for another reason has checked nothing
  if (status !== 0 && compiled.every((example) => example.problems.length === 0)) {
    return yield* new DoctestError({ message: output })
  }
  yield* bundle(
    directory,
    files.flatMap(({ file, serverFile }) => serverFile === undefined ? [file] : [file, serverFile])
  )
  return compiled
})

/** The variables of a process, without those that would name a server. */
const withoutServer = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("REDIS_")))

const runFile = (root: string, file: string, env: NodeJS.ProcessEnv): Effect.Effect<Outcome> =>
  command(process.execPath, [file], {
    cwd: root,
    env: { ...withoutServer, ...env, NODE_COMPILE_CACHE: join(dirname(file), "cache") }
  })

/** Runs an example, and gives what it has written and its exit code. */
export const run = (root: string, example: Compiled): Effect.Effect<Outcome> => runFile(root, example.file, {})

/** Runs an example on a server, under a prefix. */
export const runOnServer = (
  root: string,
  example: Compiled,
  server: { readonly url: string; readonly keyPrefix: string }
): Effect.Effect<Outcome, DoctestError> =>
  example.serverFile === undefined
    ? Effect.fail(new DoctestError({ message: `${example.name} was not compiled for servers` }))
    : runFile(root, example.serverFile, { REDIS_URL: server.url, REDIS_KEY_PREFIX: server.keyPrefix })

/**
 * A client of TypeScript's language server: what an editor shows in a file of this project that exists only in memory.
 */
import { Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath, pathToFileURL } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const file = pathToFileURL(`${root}/test/language/editor.ts`).href

interface Signature {
  readonly label: string
  readonly documentation: string
}

export interface Editor {
  /** Replaces the content of the file. */
  readonly edit: (text: string) => Effect.Effect<void>
  /** The content of a hover at a position: the code, and the documentation. */
  readonly hover: (offset: number) => Effect.Effect<{ readonly code: string; readonly documentation: string }>
  /** The signatures of the call whose parenthesis is open at a position. */
  readonly signatures: (offset: number) => Effect.Effect<ReadonlyArray<Signature>>
  /** The names that a completion offers at a position. */
  readonly completions: (offset: number) => Effect.Effect<ReadonlyArray<string>>
  /** The names of methods and properties that a completion offers at a position. */
  readonly members: (offset: number) => Effect.Effect<ReadonlyArray<string>>
}

/** The text of a documentation, which is a string or an object. */
const textOf = (content: any): string =>
  content === undefined || content === null ? "" : content.value ?? String(content)

class Connection {
  private readonly child: ChildProcess
  private readonly waiting = new Map<number, { resolve: (result: any) => void; reject: (error: Error) => void }>()
  private received = Buffer.alloc(0)
  private last = 0

  constructor() {
    this.child = spawn(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, "--lsp", "--stdio"], {
      cwd: root,
      stdio: ["pipe", "pipe", "ignore"]
    })
    this.child.stdout!.on("data", (chunk: Buffer) => this.receive(chunk))
    this.child.on("exit", () => {
      for (const { reject } of this.waiting.values()) reject(new Error("The language server has ended"))
    })
  }

  private receive(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk])
    for (;;) {
      const end = this.received.indexOf("\r\n\r\n")
      if (end < 0) return
      const length = Number(/Content-Length: (\d+)/i.exec(this.received.subarray(0, end).toString())?.[1])
      if (this.received.length < end + 4 + length) return
      const message = JSON.parse(this.received.subarray(end + 4, end + 4 + length).toString())
      this.received = this.received.subarray(end + 4 + length)
      if (message.method !== undefined && message.id !== undefined) {
        this.send({ id: message.id, result: message.params?.items?.map(() => null) ?? null })
      } else if (message.id !== undefined) {
        const request = this.waiting.get(message.id)
        this.waiting.delete(message.id)
        if (message.error === undefined) request?.resolve(message.result)
        else request?.reject(new Error(message.error.message))
      }
    }
  }

  private send(message: object): void {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message })
    this.child.stdin!.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
  }

  notify(method: string, params: object): void {
    this.send({ method, params })
  }

  request(method: string, params: object): Effect.Effect<any> {
    return Effect.promise(() =>
      new Promise((resolve, reject) => {
        this.last++
        this.waiting.set(this.last, { resolve, reject })
        this.send({ id: this.last, method, params })
      })
    )
  }

  end(): void {
    this.child.kill()
  }
}

/** The numbers that the protocol has for methods, functions, fields and properties. */
const memberKinds = [2, 3, 5, 10]

/** Starts a language server, which ends with the scope. */
export const make: Effect.Effect<Editor, never, Scope.Scope> = Effect.gen(function*() {
  const connection = yield* Effect.acquireRelease(
    Effect.sync(() => new Connection()),
    (connection) => Effect.sync(() => connection.end())
  )
  const rootUri = pathToFileURL(root).href
  yield* connection.request("initialize", {
    processId: process.pid,
    rootUri,
    workspaceFolders: [{ uri: rootUri, name: "redlayer" }],
    capabilities: {
      textDocument: {
        hover: { contentFormat: ["markdown"] },
        signatureHelp: { signatureInformation: { documentationFormat: ["markdown"] } }
      }
    }
  })
  connection.notify("initialized", {})
  let version = 0
  let content = ""
  const at = (offset: number) => {
    const before = content.slice(0, offset).split("\n")
    return {
      textDocument: { uri: file },
      position: { line: before.length - 1, character: before.at(-1)!.length }
    }
  }
  const completions = (
    offset: number
  ): Effect.Effect<ReadonlyArray<{ readonly label: string; readonly kind: number }>> =>
    Effect.map(connection.request("textDocument/completion", at(offset)), (result) => result?.items ?? [])
  return {
    edit: (text) =>
      Effect.sync(() => {
        content = text
        version++
        if (version === 1) {
          connection.notify("textDocument/didOpen", {
            textDocument: { uri: file, languageId: "typescript", version, text }
          })
        } else {
          connection.notify("textDocument/didChange", {
            textDocument: { uri: file, version },
            contentChanges: [{ text }]
          })
        }
      }),
    hover: (offset) =>
      Effect.map(connection.request("textDocument/hover", at(offset)), (result) => {
        const [, code = "", documentation = ""] = /^```\w*\n(.*?)\n```\s*(.*)$/s.exec(textOf(result?.contents)) ?? []
        return { code, documentation }
      }),
    signatures: (offset) =>
      Effect.map(
        connection.request("textDocument/signatureHelp", at(offset)),
        (result) =>
          (result?.signatures ?? []).map(({ documentation, label }: { label: string; documentation?: unknown }) => ({
            label,
            documentation: textOf(documentation)
          }))
      ),
    completions: (offset) => Effect.map(completions(offset), (items) => items.map(({ label }) => label)),
    members: (offset) =>
      Effect.map(
        completions(offset),
        (items) => items.filter(({ kind }) => memberKinds.includes(kind)).map(({ label }) => label)
      )
  }
})

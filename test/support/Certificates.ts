/**
 * Certificates for servers of tests, made when they are needed and gone with the scope.
 */
import { Data, Effect, type Scope } from "effect"
import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)

export class CertificatesError extends Data.TaggedError("CertificatesError")<{ readonly cause: unknown }> {}

export interface Certificates {
  /** The authority that a client must trust. */
  readonly authority: string
  /** The same, as a file. */
  readonly authorityFile: string
  /** The arguments of a server that is also on this port, by TLS only. */
  readonly serverArgs: (port: number) => ReadonlyArray<string>
}

/** An authority of its own, and a certificate of it for the given names, such as `DNS:localhost` or `IP:127.0.0.1`. */
export const make = Effect.fnUntraced(
  function*(names: ReadonlyArray<string>): Effect.fn.Return<Certificates, CertificatesError, Scope.Scope> {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "redlayer-tls-"))),
      (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
    )
    const file = (name: string) => join(directory, name)
    const openssl = (command: string) =>
      Effect.tryPromise({
        try: () => run("openssl", command.split(" "), { cwd: directory }),
        catch: (cause) => new CertificatesError({ cause })
      })
    const newKey = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    yield* Effect.sync(() => writeFileSync(file("names"), `subjectAltName=${names.join(",")}\n`))
    yield* openssl(`req -x509 ${newKey} -days 2 -subj /CN=authority -keyout authority.key -out authority.crt`)
    yield* openssl(`req ${newKey} -subj /CN=server -keyout server.key -out server.csr`)
    yield* openssl(
      "x509 -req -in server.csr -days 2 -extfile names -CA authority.crt -CAkey authority.key -set_serial 1 -out server.crt"
    )
    return {
      authority: readFileSync(file("authority.crt"), "utf8"),
      authorityFile: file("authority.crt"),
      serverArgs: (port) =>
        [
          ["--tls-port", String(port), "--tls-auth-clients", "no"],
          ["--tls-cert-file", file("server.crt"), "--tls-key-file", file("server.key")],
          ["--tls-ca-cert-file", file("authority.crt")]
        ].flat()
    }
  }
)

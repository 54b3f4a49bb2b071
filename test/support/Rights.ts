/**
 * The rights that docs/server.md asks for, read from that page: the tests have no others.
 */
import { readFileSync } from "node:fs"

const page = readFileSync(new URL("../../docs/server.md", import.meta.url), "utf8")

const said = (pattern: RegExp): ReadonlyArray<string> => {
  const found = pattern.exec(page)
  if (found === null) throw new Error(`docs/server.md no longer says ${pattern.source}`)
  return found.slice(1).join(" ").trim().split(/\s+/)
}

const forPrograms = said(/^ACL SETUSER app (on >password [^`]+)^```$/m)
const forTopics = said(
  /^Users of topics, and of locks that anyone waits for, also need `([^`]+)`, and the channels `([^`]+)`\s+and `([^`]+)`\.$/m
)

const forLive = said(/^Users of models with `live: true` also need `([^`]+)`, and the channels `([^`]+)`\.$/m)

const forScans = said(/^Users of `stream`, `count`, `reindex` and `check` of a model also need `([^`]+)`\./m)

const forCluster = said(/^Users of `layerCluster` also need `([^`]+)`\.$/m)

const forReads = said(/^Users of `layerCluster` with the option `reads` also need `([^`]+)`/m)

const forReplicas = said(/^Users of `waitReplicas` also need `([^`]+)`\.$/m)

const commandsOf = (rules: ReadonlyArray<string>) =>
  rules.filter((rule) => rule.startsWith("+")).map((rule) => rule.slice(1))

/** The commands of the page, and those that topics and scans add. */
export const commands = {
  forPrograms: commandsOf(forPrograms),
  forTopics: commandsOf(forTopics),
  forScans: commandsOf(forScans)
}

export interface Who {
  /** The prefix of its layers, a glob. Default: any, because servers of single tests are used without a prefix too. */
  readonly keyPrefix?: string | undefined
  /** Default: no password. */
  readonly password?: string | undefined
  /** Whether it may use topics, too. Default: true. */
  readonly topics?: boolean | undefined
}

/** The rules of the page, for `ACL SETUSER`. */
export const least = ({ keyPrefix = "*", password, topics = true }: Who = {}): ReadonlyArray<string> =>
  [
    ...forPrograms,
    ...forScans,
    ...forCluster,
    ...forReads,
    ...forReplicas,
    ...(topics ? [...forTopics, ...forLive] : [])
  ].map((
    rule
  ) =>
    rule === ">password" ? password === undefined ? "nopass" : `>${password}` : rule.replace("app:", () => keyPrefix)
  )

/** The user with all rights, on a server that was started with {@link serverArgs}. */
export const admin = { username: "admin", password: "admin-password" }

/**
 * The arguments of a server with an admin, on which all others have the rights of the README: nobody needs to remember to test
 * with them.
 */
export const serverArgs = (others: Who | "unrestricted"): ReadonlyArray<string> =>
  [
    ["--user", admin.username, "on", `>${admin.password}`, "~*", "&*", "+@all"],
    others === "unrestricted" ? [] : ["--user", "default", ...least(others)]
  ].flat()

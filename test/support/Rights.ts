/**
 * The rights that the README asks for, as it says them: the tests have no others.
 */
import { readFileSync } from "node:fs"

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")

const said = (pattern: RegExp): ReadonlyArray<string> => {
  const found = pattern.exec(readme)
  if (found === null) throw new Error(`The README no longer says ${pattern.source}`)
  return found.slice(1).join(" ").trim().split(/\s+/)
}

const forPrograms = said(/^ACL SETUSER app (on >password [^`]+)^```$/m)
const forTopics = said(
  /^Those who use topics, or locks for which anybody waits, need `([^`]+)` too, and the channels `([^`]+)`\s+and `([^`]+)`\.$/m
)

const commandsOf = (rules: ReadonlyArray<string>) =>
  rules.filter((rule) => rule.startsWith("+")).map((rule) => rule.slice(1))

/** The commands of the line, and those that topics add. */
export const commands = { forPrograms: commandsOf(forPrograms), forTopics: commandsOf(forTopics) }

export interface Who {
  /** The prefix of its layers, a glob. Default: any, because servers of single tests are used without a prefix too. */
  readonly keyPrefix?: string | undefined
  /** Where it is not given there is none. */
  readonly password?: string | undefined
  /** Unless false, it may use topics too. */
  readonly topics?: boolean | undefined
}

/** The rules of the README, for `ACL SETUSER`. */
export const least = ({ keyPrefix = "*", password, topics = true }: Who = {}): ReadonlyArray<string> =>
  [...forPrograms, ...(topics ? forTopics : [])].map((rule) =>
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

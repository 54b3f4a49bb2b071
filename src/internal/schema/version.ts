/**
 * The version of an entity: the field `$v` of its hash. It is an integer of 64 bits, so it stays a text.
 */
import * as Schema from "effect/Schema"
import type { Result } from "../instruction/reply.ts"
import { Problem } from "../text/problem.ts"

/**
 * The schema of versions, such as one that a client has sent back in `If-Match`.
 *
 * @stability unstable
 * @category versions
 * @since 0.1.0
 */
export const Version = Schema.String.check(Schema.isPattern(/^(0|-?[1-9]\d{0,18})$/)).pipe(
  Schema.brand("redlayer/Version")
)

/**
 * The version of an entity, an opaque text: every program that writes the entity changes it. Compare it for equality alone.
 *
 * @stability unstable
 * @category versions
 * @since 0.1.0
 */
export type Version = typeof Version.Type

/** @internal */
export const isVersion = Schema.is(Version)

/**
 * The stored version. An entity that was stored by hand without a version has version 0.
 *
 * @internal
 */
export const versionOf = (stored: Result): Version | Problem => {
  const text = stored === false ? "0" : stored
  return isVersion(text) ? text : new Problem("Expected a version", "$v")
}

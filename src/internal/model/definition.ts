/**
 * Defines a model: its plan is made, and refused, at once; its programs when its schema is known.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import { makePlan, type PlanOptions } from "../schema/model.ts"
import { EntityPrograms } from "./entityPrograms.ts"

/** @internal */
export const programNames = Object.getOwnPropertyNames(EntityPrograms.prototype).filter((name) =>
  name !== "constructor"
) as ReadonlyArray<Exclude<keyof EntityPrograms, "constructor">>

const random = SecureRandom.make(SecureRandom.randomBytesUnsafe)

/** @internal */
export const withId = (fields: Schema.Struct.Fields): Schema.Struct.Fields => ({
  id: Schema.String.pipe(Schema.withConstructorDefault(random.uuidV7())),
  ...fields
})

type Constructible = Schema.Top & {
  readonly fields: Schema.Struct.Fields
  makeEffect(input: unknown): Effect.Effect<unknown, SchemaIssue.Issue>
}

/**
 * Returns the programs of a model for its schema. The schema of a class belongs to the class that extends it, and exists only
 * when that is first used.
 *
 * @internal
 */
export const define = (
  name: string,
  fields: Schema.Struct.Fields,
  options: { readonly [Name in keyof PlanOptions]?: any }
): (schema: any) => EntityPrograms => {
  let construct: ((fields: object) => unknown) | undefined
  const plan = makePlan(
    name,
    fields,
    { key: options.key ?? "id", slot: options.slot ?? "id", timeToLive: options.timeToLive },
    (value) => construct === undefined ? value : construct(value)
  )
  let owner: Constructible | undefined
  let programs: EntityPrograms | undefined
  return (schema: Constructible) => {
    if (owner === schema) return programs!
    if (schema.fields !== fields) {
      throw new Error(
        `Model "${name}": "${(schema as any).identifier}" extends it by Schema; a model can't be inherited so`
      )
    }
    const link = schema.ast.encoding?.[0]
    construct = link === undefined ? undefined : (link.transformation.decode as any).transform
    owner = schema
    return programs = new EntityPrograms(plan, (input) => schema.makeEffect(input))
  }
}

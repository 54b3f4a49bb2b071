/**
 * Defines a model. Its plan is made at once, so that an invalid definition throws at once. Its programs are made when its
 * schema is first used.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import { copyInput } from "../schema/input.ts"
import { makePlan, type PlanOptions } from "../schema/model.ts"
import * as Storable from "../schema/storable.ts"
import { EntityPrograms } from "./entityPrograms.ts"

/**
 * Throws if a schema can't be that of a field.
 *
 * @internal
 */
export const checkFields = (model: string, fields: unknown): void => Storable.checkFields(model, fields)

/**
 * The names of all programs. Each method of `EntityPrograms` is one.
 *
 * @internal
 */
export const programNames = Object.getOwnPropertyNames(EntityPrograms.prototype).filter((name) =>
  name !== "constructor"
) as ReadonlyArray<Exclude<keyof EntityPrograms, "constructor">>

const random = SecureRandom.make(SecureRandom.randomBytesUnsafe)

/**
 * Adds the generated id of a model without a key: a UUID of version 7. A field `id` that the model defines replaces it.
 *
 * @internal
 */
export const withId = (fields: Schema.Struct.Fields): Schema.Struct.Fields => ({
  id: Schema.String.pipe(Schema.withConstructorDefault(random.uuidV7())),
  ...fields
})

type Constructible = Schema.Top & {
  readonly fields: Schema.Struct.Fields
  makeEffect(input: unknown): Effect.Effect<unknown, SchemaIssue.Issue>
}

/**
 * Makes the plan of a model. Returns the function from the model's schema to its programs, because the schema of a class
 * belongs to the class that extends it, which does not exist yet.
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
    {
      key: options.key ?? "id",
      slot: options.slot ?? "id",
      timeToLive: options.timeToLive,
      indexes: options.indexes,
      unique: options.unique
    },
    (value) => construct === undefined ? value : construct(value)
  )
  let owner: Constructible | undefined
  let programs: EntityPrograms | undefined
  return (schema: Constructible) => {
    if (owner === schema) return programs!
    if (schema.fields !== fields) {
      throw new Error(
        `Model "${name}": "${
          (schema as any).identifier
        }" extends it with the \`extend\` of Schema; use \`Model.extend\``
      )
    }
    const link = schema.ast.encoding?.[0]
    construct = link === undefined ? undefined : (link.transformation.decode as any).transform
    owner = schema
    return programs = new EntityPrograms(
      plan,
      (input) => schema.makeEffect(input),
      (input) => copyInput(schema.ast, input)
    )
  }
}

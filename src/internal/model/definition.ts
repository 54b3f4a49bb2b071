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
import { IndexedPrograms } from "./indexedPrograms.ts"

/**
 * Throws if a schema can't be that of a field.
 *
 * @internal
 */
export const checkFields = (model: string, fields: unknown): void => Storable.checkFields(model, fields)

const methodsOf = ({ prototype }: { readonly prototype: object }): ReadonlyArray<string> =>
  Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor")

/**
 * The names of all programs. Each method of `EntityPrograms` is one.
 *
 * @internal
 */
export const programNames = methodsOf(EntityPrograms) as ReadonlyArray<keyof EntityPrograms>

/**
 * The names of the programs of a model with indexes.
 *
 * @internal
 */
export const indexedNames: ReadonlyArray<keyof IndexedPrograms> = [
  "by",
  ...methodsOf(IndexedPrograms) as ReadonlyArray<Exclude<keyof IndexedPrograms, "by">>
]

/**
 * The programs of a model. `indexed` is unset if it has no index.
 *
 * @internal
 */
export interface Defined {
  readonly programs: EntityPrograms
  readonly indexed: IndexedPrograms | undefined
}

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
): { readonly of: (schema: any) => Defined; readonly isIndexed: boolean } => {
  let construct: ((fields: object) => unknown) | undefined
  const plan = makePlan(
    name,
    fields,
    {
      key: options.key ?? "id",
      slot: options.slot ?? "id",
      timeToLive: options.timeToLive,
      indexes: options.indexes,
      unique: options.unique,
      counted: options.counted,
      summed: options.summed,
      live: options.live
    },
    (value) => construct === undefined ? value : construct(value)
  )
  let owner: Constructible | undefined
  let defined: Defined | undefined
  const of = (schema: Constructible): Defined => {
    if (owner === schema) return defined!
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
    const programs = new EntityPrograms(
      plan,
      (input) => schema.makeEffect(input),
      (input) => copyInput(schema.ast, input)
    )
    return defined = { programs, indexed: plan.indexes && new IndexedPrograms(plan, programs) }
  }
  return { of, isIndexed: plan.indexes !== undefined }
}

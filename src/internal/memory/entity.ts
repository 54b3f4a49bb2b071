/**
 * Operations on whole entities. The twin of entity.lua and entityWrites.lua.
 */
import { workOf } from "../instruction/limits.ts"
import { Op } from "../instruction/ops.ts"
import type { Argument, Instruction } from "../instruction/program.ts"
import type { Result, Text } from "../instruction/reply.ts"
import type { EntitySpec } from "../instruction/spec.ts"
import { fail, failEntity } from "./stop.ts"
import type { Entity, Transaction } from "./transaction.ts"

const readEntity = (transaction: Transaction, entity: Entity, spec: EntitySpec): Result => [
  entity.hash.fields.get("$v") ?? false,
  ...spec.fields.map((name): Text => entity.hash.fields.get(name) ?? false),
  ...spec.collections.map((collection) => transaction.contents(entity, collection))
]

/** Writes a whole entity. Everything that its keys held before is removed. */
const writeContent = (
  transaction: Transaction,
  entity: Entity,
  spec: EntitySpec,
  [lifetime, ...content]: ReadonlyArray<Argument>
): Result => {
  const fields = new Map<string, string>()
  spec.fields.forEach((name, i) => {
    const text = content[i]
    if (typeof text === "string") fields.set(name, text)
  })
  transaction.replaceFields(entity, spec, fields, lifetime as number | false)
  let at = spec.fields.length
  for (const collection of spec.collections) {
    const end = at + 1 + (content[at] as number)
    transaction.replaceCollection(entity, collection, content.slice(at + 1, end) as Array<string>)
    at = end
  }
  return 1
}

const remove = (transaction: Transaction, entity: Entity, spec: EntitySpec): Result => {
  if (!entity.exists) return 0
  transaction.touch(entity)
  transaction.raiseLastVersion(entity)
  transaction.update(entity, "exists", false)
  for (const collection of spec.collections) transaction.replaceCollection(entity, collection, [])
  return 1
}

const duplicate = (
  transaction: Transaction,
  entity: Entity,
  spec: EntitySpec,
  { args, other }: Instruction
): Result => {
  const copy = transaction.entityAt(other!.key, true)
  if (copy.exists) return failEntity("exists", true)
  const copySpec = other!.spec as EntitySpec
  const contents = spec.collections.map((collection) => transaction.contents(entity, collection))
  for (const texts of [[...entity.hash.fields].flat(), ...contents]) transaction.spend(workOf(texts))
  transaction.replaceFields(copy, copySpec, new Map(entity.hash.fields), args[0] as number | false)
  copySpec.collections.forEach((collection, i) => transaction.replaceCollection(copy, collection, contents[i]!, true))
  return 1
}

const versionOf = ({ hash }: Entity): string => hash.fields.get("$v") ?? "0"

/** @internal */
export const onEntity = (transaction: Transaction, entity: Entity, instruction: Instruction): Result => {
  const { args, op } = instruction
  const spec = instruction.spec as EntitySpec
  const { exists } = entity
  switch (op) {
    case Op.find:
      return exists && readEntity(transaction, entity, spec)
    case Op.exists:
      return exists ? 1 : 0
    case Op.atVersion:
      return exists && versionOf(entity) === args[0] ? 1 : 0
    case Op.insert:
      // The script has two more implementations of it, in entityWrites.lua and in `runSingle` (run.lua), its fast path. All
      // three must do the same; the differential tests compare them.
      return exists ? failEntity("exists") : writeContent(transaction, entity, spec, args)
    case Op.put:
      return writeContent(transaction, entity, spec, args)
    case Op.delete:
      return remove(transaction, entity, spec)
    case Op.getOrInsert:
      return exists ? readEntity(transaction, entity, spec) : writeContent(transaction, entity, spec, args)
    case Op.ensure:
      return exists ? 0 : writeContent(transaction, entity, spec, args)
  }
  if (!exists) return failEntity("missing")
  switch (op) {
    case Op.read:
      return readEntity(transaction, entity, spec)
    case Op.duplicate:
      return duplicate(transaction, entity, spec, instruction)
    case Op.expire:
      transaction.scheduleExpiry(entity, spec, transaction.millis + (args[0] as number))
      return 1
    case Op.persist:
      transaction.scheduleExpiry(entity, spec, undefined)
      return 1
    case Op.version:
      return versionOf(entity)
    case Op.requireVersion:
      return versionOf(entity) === args[0] ? 1 : fail({ _tag: "stale" })
    case Op.timeToLive:
      return entity.expiresAt !== undefined && Math.max(1, entity.expiresAt - transaction.millis)
    default:
      return 1
  }
}

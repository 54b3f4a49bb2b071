/**
 * Operations on whole entities. The twin of entity.lua and entityWrites.lua.
 */
import { workOf } from "../instruction/limits.ts"
import { Op } from "../instruction/ops.ts"
import type { Argument, Instruction } from "../instruction/program.ts"
import { aroundForm, Form, type Result, type Text } from "../instruction/reply.ts"
import { type EntitySpec, formerNames } from "../instruction/spec.ts"
import { otherForm, withForms } from "./forms.ts"
import { compareIndexed } from "./indexes.ts"
import { fail, failEntity, failWrongType } from "./stop.ts"
import type { Entity, Transaction } from "./transaction.ts"

/** @internal */
export const readEntity = (transaction: Transaction, entity: Entity, spec: EntitySpec): Result =>
  withForms(transaction, entity, spec, [
    entity.hash.fields.get("$v") ?? false,
    ...spec.fields.map((name): Text => entity.hash.fields.get(name) ?? false),
    ...spec.collections.map((collection) => transaction.contents(entity, collection))
  ])

/** Removes the other forms of an entity: those of all fields, or of a new entity those of missing fields. */
const dropForms = (
  transaction: Transaction,
  { key }: Entity,
  spec: EntitySpec,
  isMissing?: (path: string) => boolean
): void => {
  for (const name of formerNames(spec, isMissing)) transaction.drop(`${key}:${name}`)
}

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
  const isNew = !entity.exists
  transaction.replaceFields(entity, spec, fields, lifetime as number | false)
  const filled = new Set(fields.keys())
  let at = spec.fields.length
  for (const collection of spec.collections) {
    const end = at + 1 + (content[at] as number)
    if (end > at + 1) filled.add(collection.field)
    transaction.replaceCollection(entity, collection, content.slice(at + 1, end) as Array<string>)
    at = end
  }
  dropForms(transaction, entity, spec, isNew ? (path) => !filled.has(path) : undefined)
  return 1
}

const remove = (transaction: Transaction, entity: Entity, spec: EntitySpec): Result => {
  if (!entity.exists) return 0
  transaction.touch(entity)
  transaction.raiseLastVersion(entity)
  transaction.update(entity, "exists", false)
  for (const collection of spec.collections) transaction.replaceCollection(entity, collection, [])
  dropForms(transaction, entity, spec)
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
  failIfFormHasKey(transaction, entity, spec)
  for (const texts of [[...entity.hash.fields].flat(), ...contents]) transaction.spend(workOf(texts))
  transaction.replaceFields(copy, copySpec, new Map(entity.hash.fields), args[0] as number | false)
  copySpec.collections.forEach((collection, i) => transaction.replaceCollection(copy, collection, contents[i]!, true))
  const filled = new Set(entity.hash.fields.keys())
  copySpec.collections.forEach(({ field }, i) => contents[i]!.length > 0 && filled.add(field))
  dropForms(transaction, copy, copySpec, (path) => !filled.has(path))
  return 1
}

/** A form that has keys of its own would be missing in a copy. One in the hash is copied with it. */
const failIfFormHasKey = (transaction: Transaction, entity: Entity, spec: EntitySpec): void => {
  const fail = (form: number | undefined, path: string) => {
    if (form !== undefined && form % aroundForm > Form.struct) failWrongType(path)
  }
  for (const path of spec.fields) {
    if (!entity.hash.fields.has(path)) fail(otherForm(transaction, entity, path, false, spec.inner), path)
  }
  for (const collection of spec.collections) {
    const { field } = collection
    if (transaction.contents(entity, collection).length === 0) fail(otherForm(transaction, entity, field, true), field)
  }
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
  if (op === Op.reindex || op === Op.audit) {
    return compareIndexed(transaction, entity, spec.indexes!, op === Op.reindex, args)
  }
  if (!exists) return failEntity("missing")
  switch (op) {
    case Op.read:
      return readEntity(transaction, entity, spec)
    case Op.duplicate:
      return duplicate(transaction, entity, spec, instruction)
    case Op.expire:
      transaction.scheduleExpiry(entity, spec, transaction.millis + (args[0] as number), formerNames(spec))
      return 1
    case Op.persist:
      transaction.scheduleExpiry(entity, spec, undefined, formerNames(spec))
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

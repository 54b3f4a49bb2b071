/**
 * Operations on whole entities. The twin of entity.lua and entityWrites.lua.
 */
import { Op } from "../instruction/ops.ts"
import type { Argument, Instruction } from "../instruction/program.ts"
import type { Result, Text } from "../instruction/reply.ts"
import type { EntitySpec } from "../instruction/spec.ts"
import { refuse, stop } from "./stop.ts"
import type { Entity, Transaction } from "./transaction.ts"

const read = (run: Transaction, entity: Entity, spec: EntitySpec): Result => [
  entity.hash.fields.get("$v") ?? false,
  ...spec.fields.map((name): Text => entity.hash.fields.get(name) ?? false),
  ...spec.collections.map((collection) => run.texts(entity, collection))
]

/** Writes a whole entity. Everything that the key held before is removed, leftovers of collections included. */
const write = (
  run: Transaction,
  entity: Entity,
  spec: EntitySpec,
  [life, ...content]: ReadonlyArray<Argument>
): Result => {
  const fields = new Map<string, string>()
  spec.fields.forEach((name, i) => {
    const text = content[i]
    if (typeof text === "string") fields.set(name, text)
  })
  run.write(entity, spec, fields, life as number | false)
  let at = spec.fields.length
  for (const collection of spec.collections) {
    const end = at + 1 + (content[at] as number)
    run.refill(entity, collection, content.slice(at + 1, end) as Array<string>)
    at = end
  }
  return 1
}

const remove = (run: Transaction, entity: Entity, spec: EntitySpec): Result => {
  if (!entity.exists) return 0
  run.touch(entity)
  run.outdate(entity)
  run.note(entity, "exists", false)
  for (const collection of spec.collections) run.refill(entity, collection, [])
  return 1
}

const duplicate = (run: Transaction, entity: Entity, spec: EntitySpec, { args, other }: Instruction): Result => {
  const copy = run.entity(other!.key, true)
  if (copy.exists) return refuse("exists", true)
  const copySpec = other!.spec as EntitySpec
  const contents = spec.collections.map((collection) => run.texts(entity, collection))
  run.write(copy, copySpec, new Map(entity.hash.fields), args[0] as number | false)
  copySpec.collections.forEach((collection, i) => run.refill(copy, collection, contents[i]!, true))
  return 1
}

/** @internal */
export const onEntity = (run: Transaction, entity: Entity, instruction: Instruction): Result => {
  const { args, op } = instruction
  const spec = instruction.spec as EntitySpec
  const { exists } = entity
  switch (op) {
    case Op.find:
      return exists && read(run, entity, spec)
    case Op.exists:
      return exists ? 1 : 0
    case Op.insert:
      // the script has two implementations of it, `runSingle` in run.lua and entityWrites.lua: all three must do the same
      return exists ? refuse("exists") : write(run, entity, spec, args)
    case Op.put:
      return write(run, entity, spec, args)
    case Op.delete:
      return remove(run, entity, spec)
    case Op.getOrInsert:
      return exists ? read(run, entity, spec) : write(run, entity, spec, args)
    case Op.ensure:
      return exists ? 0 : write(run, entity, spec, args)
  }
  if (!exists) return refuse("missing")
  switch (op) {
    case Op.read:
      return read(run, entity, spec)
    case Op.duplicate:
      return duplicate(run, entity, spec, instruction)
    case Op.expire:
      run.expire(entity, spec, run.millis + (args[0] as number))
      return 1
    case Op.persist:
      run.expire(entity, spec, undefined)
      return 1
    case Op.atVersion:
      return (entity.hash.fields.get("$v") ?? "0") === args[0] ? 1 : stop({ _tag: "stale" })
    case Op.timeToLive:
      return entity.expiresAt !== undefined && Math.max(1, entity.expiresAt - run.millis)
    default:
      return 1
  }
}

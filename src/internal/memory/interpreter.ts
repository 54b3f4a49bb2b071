/**
 * Runs programs on a store: the same instructions as the Lua script, each program as a whole or not at all. The twin of
 * instruction.lua and runGeneral.lua.
 */
import { indexesOf } from "../instruction/keys.ts"
import { defaults, workOf } from "../instruction/limits.ts"
import { Op } from "../instruction/ops.ts"
import type { Instruction, Program } from "../instruction/program.ts"
import type { Reply, Result, StopReason } from "../instruction/reply.ts"
import { type FieldSpec, isEntitySpec } from "../instruction/spec.ts"
import { compareNumbers } from "./comparison.ts"
import { onEntity } from "./entity.ts"
import { Flow } from "./flow.ts"
import { leaveForm, leaveFormOf } from "./forms.ts"
import { flushIndexes, hintsOf, noteIndexed, sweepIndexes } from "./indexes.ts"
import { onIndex } from "./indexReads.ts"
import { onItem, onList } from "./list.ts"
import { onLock } from "./lock.ts"
import { onEntry, onMap } from "./map.ts"
import { applyScalar } from "./scalar.ts"
import { onSet } from "./set.ts"
import { onSortedSet } from "./sortedSet.ts"
import { failEntity, Stop } from "./stop.ts"
import { contents, sizeOf, type Store, type StoredHash, type StoredList } from "./store.ts"
import { type Entity, Transaction } from "./transaction.ts"

const onScalar = (transaction: Transaction, entity: Entity, instruction: Instruction): Result => {
  const { args, op } = instruction
  const spec = instruction.spec as FieldSpec
  if (spec.itemOf === undefined) {
    const old = entity.hash.fields.get(spec.field)
    const replaces = op === Op.set || op === Op.assign || op === Op.clear
    const hadForm = old === undefined && leaveForm(transaction, entity, spec, replaces)
    transaction.examine(op, old)
    const [text, result] = applyScalar(op, old, spec, args, transaction.valueBytes)
    if (text !== undefined) {
      transaction.touch(entity)
      transaction.setField(entity.hash, spec.field, text)
    }
    return hadForm ? 1 : result
  }
  const collection = transaction.collectionAt(entity, spec)
  leaveFormOf(transaction, collection, spec, false)
  return spec.itemOf === "list"
    ? onItem(transaction, collection, collection.value as StoredList, instruction)
    : onEntry(transaction, collection, collection.value as StoredHash, instruction)
}

const onCollection = (transaction: Transaction, entity: Entity, instruction: Instruction): Result => {
  const { args, op, spec } = instruction
  const collection = transaction.collectionAt(entity, spec as FieldSpec)
  const { value } = collection
  leaveFormOf(transaction, collection, spec as FieldSpec, op === Op.replace || op === Op.clearAll)
  switch (op) {
    case Op.size:
    case Op.loadSize:
      return sizeOf(value)
    case Op.compareSize:
      return compareNumbers(sizeOf(value), args)
    case Op.values:
      return contents(value)
    case Op.clearAll:
      if (sizeOf(value) > 0) transaction.replace(collection, [])
      return 1
    case Op.replace:
      transaction.replace(collection, args as ReadonlyArray<string>)
      return 1
  }
  switch (value._tag) {
    case "list":
      return onList(transaction, collection, value, instruction)
    case "set":
      return onSet(transaction, collection, value, instruction)
    case "hash":
      return onMap(transaction, collection, value, instruction)
    case "zset":
      return onSortedSet(transaction, collection, value, instruction)
  }
}

const observeWork = (transaction: Transaction, result: Result): Result => {
  transaction.spend(workOf(result))
  return result
}

const runInstruction = (transaction: Transaction, flow: Flow, instruction: Instruction): Result => {
  const { args, key, op, other, spec } = instruction
  if (op < Op.get) return flow.control(op, args, spec)
  if (op === Op.publish) {
    transaction.publish(args[0] as string, args[1] as string)
    return 1
  }
  if (op >= Op.acquire) return onLock(transaction, instruction)
  if (op >= Op.indexRange) return flow.observe(op, observeWork(transaction, onIndex(transaction, instruction)))
  const entity = transaction.entityAt(key)
  const existed = entity.exists
  if (!existed && !isEntitySpec(spec)) return failEntity("missing")
  const operate = op < Op.size ? onScalar : op < Op.read ? onCollection : onEntity
  const result = operate(transaction, entity, flow.fill(instruction))
  observeWork(transaction, result)
  if (existed && entity.exists) transaction.renew(entity, spec)
  if (other !== undefined && op !== Op.duplicate) transaction.renew(transaction.entityAt(other.key), other.spec)
  const indexes = indexesOf(instruction)
  if (indexes !== undefined && op !== Op.audit) noteIndexed(transaction, entity, indexes)
  if (op === Op.duplicate && other!.spec.indexes !== undefined) {
    noteIndexed(transaction, transaction.entityAt(other!.key), other!.spec.indexes)
  }
  return flow.observe(op, result)
}

/**
 * Runs one program.
 *
 * @param now microseconds of the clock
 * @param valueBytes the greatest length of a value
 *
 * @internal
 */
export const interpret = (
  store: Store,
  { access, instructions }: Program,
  now: number,
  valueBytes = defaults.maximumValueBytes
): Reply => {
  const transaction = new Transaction(store, access, now, valueBytes)
  const flow = new Flow(transaction, instructions.length)
  for (; transaction.step <= instructions.length; transaction.step++) {
    const { step } = transaction
    try {
      if (step < instructions.length) flow.results[step] = runInstruction(transaction, flow, instructions[step]!)
      else flushIndexes(transaction)
    } catch (error) {
      const failure = error instanceof Stop ? { step, ...error.failure } as StopReason : undefined
      if (failure !== undefined && flow.catchFailure(failure)) continue
      transaction.undo()
      if (failure !== undefined) return { _tag: "failed", failure }
      throw error
    }
  }
  sweepIndexes(transaction)
  transaction.commit()
  for (const [channel, text] of [...transaction.messages, ...hintsOf(transaction)]) {
    for (const listener of store.listeners.get(channel) ?? []) listener(text)
  }
  return { _tag: "done", results: flow.results }
}

/**
 * Runs programs on a store: the same instructions as the Lua script, each program as a whole or not at all.
 */
import { Op } from "../instruction/ops.ts"
import type { Instruction, Program } from "../instruction/program.ts"
import type { Reply, Result, StopReason } from "../instruction/reply.ts"
import { type FieldSpec, isEntitySpec } from "../instruction/spec.ts"
import { compareSize } from "./comparison.ts"
import { onEntity } from "./entity.ts"
import { Flow } from "./flow.ts"
import { itemAt, onList } from "./list.ts"
import { onLock } from "./lock.ts"
import { change, onMap } from "./map.ts"
import { apply } from "./scalar.ts"
import { onSet } from "./set.ts"
import { onScored } from "./sortedSet.ts"
import { refuse, Stop } from "./stop.ts"
import { type Hash, type List, sizeOf, type Store, textsOf } from "./store.ts"
import { type Entity, Transaction } from "./transaction.ts"

const onCell = (run: Transaction, entity: Entity, { args, op, spec }: Instruction): Result => {
  const field = spec as FieldSpec
  if (field.itemOf === undefined) {
    const [text, result] = apply(op, entity.hash.fields.get(field.field), field, args)
    if (text !== undefined) {
      run.touch(entity)
      run.setField(entity.hash, field.field, text)
    }
    return result
  }
  const at = run.collection(entity, field)
  if (field.itemOf === "list") {
    const item = itemAt(run, at, at.entry as List, args[0] as number)
    const [text, result] = apply(op, item.text, field, args.slice(1))
    if (typeof text === "string") item.set(text)
    return result
  }
  const map = at.entry as Hash
  const name = args[0] as string
  const [text, result] = apply(op, map.fields.get(name), field, args.slice(1))
  if (text !== undefined) change(run, at, map, field, new Map([[name, text]]))
  return result
}

const onCollection = (run: Transaction, entity: Entity, instruction: Instruction): Result => {
  const { args, op, spec } = instruction
  const at = run.collection(entity, spec as FieldSpec)
  const { entry } = at
  switch (op) {
    case Op.size:
    case Op.loadSize:
      return sizeOf(entry)
    case Op.compareSize:
      return compareSize(sizeOf(entry), args)
    case Op.values:
      return textsOf(entry)
    case Op.clearAll:
      if (sizeOf(entry) > 0) run.replace(at, [])
      return 1
    case Op.replace:
      run.replace(at, args as ReadonlyArray<string>)
      return 1
  }
  switch (entry._tag) {
    case "list":
      return onList(run, at, entry, instruction)
    case "set":
      return onSet(run, at, entry, instruction)
    case "hash":
      return onMap(run, at, entry, instruction)
    case "zset":
      return onScored(run, at, entry, instruction)
  }
}

const instruct = (run: Transaction, flow: Flow, given: Instruction): Result => {
  const { args, key, op, other, spec } = given
  if (op < Op.get) return flow.control(op, args)
  if (op === Op.publish) {
    run.publish(args[0] as string, args[1] as string)
    return 1
  }
  if (op >= Op.acquire) return onLock(run, given)
  const entity = run.entity(key)
  const existed = entity.exists
  if (!existed && !isEntitySpec(spec)) return refuse("missing")
  const operate = op < Op.size ? onCell : op < Op.read ? onCollection : onEntity
  const result = operate(run, entity, flow.prepare(given))
  if (existed && entity.exists) run.renew(entity, spec)
  if (other !== undefined && op !== Op.duplicate) run.renew(run.entity(other.key), other.spec)
  return flow.keep(op, result)
}

/**
 * Runs one program.
 *
 * @param now microseconds
 *
 * @internal
 */
export const interpret = (store: Store, { instructions }: Program, now: number): Reply => {
  const run = new Transaction(store, now)
  const flow = new Flow(run, instructions.length)
  for (; run.step < instructions.length; run.step++) {
    const { step } = run
    try {
      flow.results[step] = instruct(run, flow, instructions[step]!)
    } catch (error) {
      const failure = error instanceof Stop ? { ...error.failure, step } as StopReason : undefined
      if (failure !== undefined && flow.recover(failure)) continue
      run.undo()
      if (failure !== undefined) return { _tag: "failed", failure }
      throw error
    }
  }
  run.commit()
  for (const [channel, text] of run.messages) {
    for (const listener of store.listeners.get(channel) ?? []) listener(text)
  }
  return { _tag: "done", results: flow.results }
}

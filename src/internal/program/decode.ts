/**
 * Decodes a reply: into the value of the program, or into the error of the step that stopped it. A reply becomes a domain error
 * here and nowhere else. Errors of the server and the connection are made in `redis/`.
 */
import * as Exit from "effect/Exit"
import {
  ArithmeticError,
  Conflict,
  EntityCorrupted,
  EntityExists,
  EntityNotFound,
  IndexOutOfRange,
  InvalidValue,
  LockLost,
  OutOfBounds,
  UniqueViolation
} from "../../DomainError.ts"
import { RedisServiceError, Unsupported, WrongType } from "../../RedisServiceError.ts"
import { keyAt, placeOf } from "../instruction/indexes.ts"
import { indexesOf, isKeyless } from "../instruction/keys.ts"
import { infoOf, methodOf, Op } from "../instruction/ops.ts"
import { accessOf } from "../instruction/program.ts"
import type { Bound, Reply, Result, StopReason } from "../instruction/reply.ts"
import { type FieldSpec, hasOwnKey, isEntitySpec } from "../instruction/spec.ts"
import { unescape } from "../text/escape.ts"
import { missing, Problem } from "../text/problem.ts"
import { record } from "../text/record.ts"
import { type Compiled, Control, failAt, onlyResult } from "./compile.ts"
import type { Step } from "./node.ts"

/**
 * The step whose result can't be decoded, and why.
 *
 * @internal
 */
export class Unreadable {
  readonly step: number
  readonly problem: Problem
  constructor(step: number, problem: Problem) {
    this.step = step
    this.problem = problem
  }
}

/**
 * Computes the value of a program from the results of its steps. Results of steps that were skipped are not decoded.
 *
 * @internal
 */
export const fold = ({ fold: folds, steps }: Compiled, results: ReadonlyArray<Result>): unknown => {
  const stack: Array<unknown> = []
  for (let at = 0; at < folds.length; at++) {
    const item = folds[at]!
    switch (item._tag) {
      case "value":
        stack.push(item.value)
        break
      case "result": {
        const value = steps[item.step]!.decode(results[item.step])
        if (value instanceof Problem) return new Unreadable(item.step, value)
        stack.push(value)
        break
      }
      case "map":
        stack.push(item.f(stack.pop()))
        break
      case "first":
        stack.pop()
        break
      case "second": {
        const value = stack.pop()
        stack[stack.length - 1] = value
        break
      }
      case "collect": {
        const items = stack.splice(stack.length - item.count, item.count)
        stack.push(item.names === undefined ? items : record(item.names.map((name, i) => [name, items[i]])))
        break
      }
      case "branch":
        if (results[item.step] === 1) at = item.to - 1
        break
      case "goto":
        at = item.to - 1
    }
  }
  return stack[0]
}

/** The part of a step that its errors name. */
type ErrorLocation = Pick<Step, "field" | "key" | "ref" | "spec">

const locationOf = ({ field, ref: { id, model } }: ErrorLocation) => ({ model, id, field })

/** The operation that an error names: the path of its handle, and its method. It is made at a failure only. */
const operationOf = ({ field, method, op, spec }: Step): string => {
  const name = method ?? methodOf(op)
  // an instruction on a scalar of a collection is one of an item or an entry
  const at = infoOf(op).family === "scalar" && !isEntitySpec(spec) && hasOwnKey(spec) ? ".at" : ""
  return field === "" || infoOf(op).family === "lock" ? name : `${field}${at}.${name}`
}

/** The key that stores a field: the collection's, or the entity's hash. */
const keyOf = ({ key, spec }: ErrorLocation): string =>
  !isEntitySpec(spec) && hasOwnKey(spec) ? `${key}:${spec.field}` : key

const wrongType = (location: ErrorLocation, applied: boolean, isMissing = false): RedisServiceError =>
  new RedisServiceError({
    reason: new WrongType({
      ...locationOf(location),
      key: keyOf(location),
      applied,
      ...(isMissing ? { isMissing } : undefined)
    })
  })

/** The entity that an index has found. */
const memberAt = ({ field, key, ref, spec }: Step, id: string): ErrorLocation => ({
  field,
  key: keyAt(spec.indexes!, key, id),
  ref: { ...ref, id },
  spec
})

const mistyped = (
  step: Step,
  { member, other, part }: Extract<StopReason, { readonly _tag: "type" }>
): EntityCorrupted | RedisServiceError => {
  const location = member !== undefined ? memberAt(step, member) : other === true ? step.other! : step
  if (part === undefined) return wrongType(location, false)
  const { id, model } = location.ref
  const key = part === "" ? location.key : `${location.key}:${part}`
  const found = { model, id, key, field: unescape(part), applied: false }
  return infoOf(step.op).readsEntity === true
    ? new EntityCorrupted({
      ...found,
      operation: operationOf(step),
      issue: part === "" ? "its key is of another kind" : "Expected a collection, found a key of another kind"
    })
    : new RedisServiceError({ reason: new WrongType(found) })
}

/** @param suffix of the key, after the home */
const mistypedIndex = ({ key, op, ref: { id, model }, spec }: Step, suffix: string): RedisServiceError => {
  const home = infoOf(op).family === "index" ? key : placeOf((spec.indexes ?? spec.expiry?.indexes)!, key).home
  return new RedisServiceError({
    reason: new WrongType({ model, id, key: `${home}${suffix}`, field: "", applied: false })
  })
}

const undecodable = (step: Step, problem: Problem, applied: boolean): EntityCorrupted | RedisServiceError => {
  const { field, key, op, ref } = step
  return infoOf(op).readsEntity === true
    ? new EntityCorrupted({
      model: ref.model,
      id: ref.id,
      operation: operationOf(step),
      field: problem.field === "" ? field : problem.field,
      key,
      issue: problem.issue,
      applied
    })
    : wrongType(step, applied, problem === missing)
}

const limitOf = ({ args, spec }: Step, bound: Bound): number | bigint => {
  const limit = bound === "atLeast"
    ? args[args.length - 2]
    : bound === "atMost"
    ? args[args.length - 1]
    : (spec as FieldSpec)[bound]
  return typeof limit === "number" ? limit : BigInt(limit!)
}

/** The position of the step that an error names. If the computation of an operand failed, it is the instruction that takes the operand. */
const failedStep = (steps: ReadonlyArray<Step>, failure: StopReason): number => {
  const { _tag, step: index } = failure
  let at = index
  // The step beyond the limit may be of the flow, which has no field: the last operation before it is named, or else the next one.
  if (_tag === "tooLarge") {
    const isOperation = (step: Step) => !(step instanceof Control)
    const before = steps.slice(0, at + 1).findLastIndex(isOperation)
    return before < 0 ? Math.max(0, steps.findIndex(isOperation)) : before
  }
  while (steps[at]!.op === Op.combine || at > index && infoOf(steps[at]!.op).putsOperand === true) at++
  return at
}

/**
 * The error of a program that stopped because entities have expired, and that is to be run again with the access to remove their
 * index entries. It never reaches a caller.
 *
 * @internal
 */
export const due = Symbol("~redlayer/due")

const errorOf = (step: Step, failure: StopReason): unknown => {
  switch (failure._tag) {
    case "missing": {
      const { id, model } = locationOf(failure.other === true ? step.other! : step)
      return new EntityNotFound({ model, id, operation: operationOf(step) })
    }
    case "exists": {
      const { id, model } = locationOf(failure.other === true ? step.other! : step)
      return new EntityExists({ model, id, operation: operationOf(step) })
    }
    case "index":
      return new IndexOutOfRange({ ...locationOf(step), operation: operationOf(step), index: step.args[0] as number })
    case "bounds":
      return new OutOfBounds({
        ...locationOf(step),
        operation: operationOf(step),
        bound: failure.bound,
        limit: limitOf(step, failure.bound)
      })
    case "arithmetic":
      return new ArithmeticError({ ...locationOf(step), operation: operationOf(step), reason: failure.reason })
    case "conflict":
      return new Conflict({ model: step.ref.model, id: step.ref.id, operation: "commit", reason: "idempotencyKey" })
    case "stale":
      return new Conflict({ model: step.ref.model, id: step.ref.id, operation: operationOf(step), reason: "version" })
    case "lost":
      return new LockLost({ model: step.ref.model, id: step.ref.id, operation: operationOf(step), name: step.field })
    case "tooLarge":
      return new InvalidValue({
        ...locationOf(step),
        ...(failure.argument === undefined ? undefined : { field: fieldOfArgument(step, failure.argument) }),
        operation: operationOf(step),
        issue: `Expected at most ${failure.limit} ${failure.what}`
      })
    case "tooLong":
      return new InvalidValue({
        ...locationOf(step),
        operation: operationOf(step),
        issue: `Expected a text of at most ${failure.limit} bytes`
      })
    case "tooMuch":
      return new InvalidValue({
        ...locationOf(step),
        operation: operationOf(step),
        issue:
          "Expected a program that reads and examines less, because the server serves no one else meanwhile: divide it"
      })
    case "unique":
      return new UniqueViolation({
        model: step.ref.model,
        id: step.ref.id,
        operation: operationOf(step),
        index: indexesOf(step)!.list[failure.index]!.name
      })
    case "due":
      return due
    case "plan":
      return new RedisServiceError({
        reason: new Unsupported({
          requirement: failure.isOlder
            ? `the indexes of ${step.ref.model} are those of an earlier definition until Model.reindex has run`
            : `a later definition of ${step.ref.model} has replaced these indexes`
        })
      })
    case "indexKey":
      return mistypedIndex(step, failure.suffix)
    case "type":
      return mistyped(step, failure)
    case "fail":
      return step instanceof Control ? raised(step, failure.observed) : failure
  }
}

/** The field that an argument is of. A write of an entity has its fields after the time to live, each collection after its size. */
const fieldOfArgument = ({ args, field, spec }: Step, argument: number): string => {
  if (!isEntitySpec(spec) || typeof args[0] === "string") return field
  if (argument <= spec.fields.length) return unescape(spec.fields[argument - 1] ?? "")
  let end = spec.fields.length + 1
  for (const collection of spec.collections) {
    end += 1 + (args[end] as number)
    if (argument < end) return unescape(collection.field)
  }
  return field
}

/** The error that a guard makes of the values that it observes. */
const raised = ({ observed, raise }: Control, results: ReadonlyArray<Result>): unknown => {
  const values: Array<unknown> = []
  for (let i = 0; i < observed.length; i++) {
    const value = observed[i]!.decode(results[i])
    if (value instanceof Problem) return undecodable(observed[i]!, value, false)
    values.push(value)
  }
  return raise(values)
}

/** Whether a step wrote, to judge by its result. The renewal of a time to live is no write. */
const wrote = (step: Step, result: Result): boolean => {
  if (accessOf([step], false) === "read") return false
  switch (infoOf(step.op).wrote) {
    case "always":
      return true
    case "created":
      return result === 1
    case "withArguments":
      return result !== false && step.args.length > 0
    default:
      return result !== false && result !== 0 && !isEmptyRow(result)
  }
}

/** An empty table of the script is an empty object in JSON. */
const isEmptyRow = (result: Result): boolean => typeof result === "object" && Object.keys(result).length === 0

/**
 * Returns the exit of a program for its caller.
 *
 * @internal
 */
export const decodeReply = (compiled: Compiled, reply: Reply): Exit.Exit<any, any> => {
  const { steps } = compiled
  if (reply._tag === "failed" && reply.failure._tag === "conflict") {
    return Exit.fail(errorOf(steps.find(({ op }) => !isKeyless(op)) ?? steps[0]!, reply.failure))
  }
  if (reply._tag === "failed") {
    const step = failedStep(steps, reply.failure)
    return failAt(compiled, step, errorOf(steps[step]!, reply.failure))
  }
  const { results } = reply
  const applied = () => steps.some((step, i) => wrote(step, results[i]!))
  if (compiled.fold === onlyResult) {
    const value = steps[0]!.decode(results[0])
    return value instanceof Problem
      ? failAt(compiled, 0, undecodable(steps[0]!, value, applied()))
      : Exit.succeed(value)
  }
  const value = fold(compiled, results)
  return value instanceof Unreadable
    ? failAt(compiled, value.step, undecodable(steps[value.step]!, value.problem, applied()))
    : Exit.succeed(value)
}

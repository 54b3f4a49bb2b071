/**
 * What a reply means: the value of the program, or the error of the step that stopped it.
 */
import * as Exit from "effect/Exit"
import {
  ArithmeticError,
  EntityCorrupted,
  EntityExists,
  EntityNotFound,
  IndexOutOfRange,
  InvalidValue,
  OutOfBounds
} from "../../DomainError.ts"
import { RedisServiceError, WrongType } from "../../RedisServiceError.ts"
import { Problem } from "../schema/problem.ts"
import type { Instruct } from "./atomic.ts"
import { type Compiled, onlyResult, run } from "./compile.ts"
import { type Failure, type FieldSpec, hasOwnKey, isEntitySpec, Op, type Reply, type Result } from "./instruction.ts"

type Site = Pick<Instruct, "field" | "key" | "place" | "spec">

const siteOf = ({ field, place: { id, model } }: Site) => ({ model, id, field })

const wrongType = (site: Site, applied: boolean): RedisServiceError => {
  const { key, spec } = site
  return new RedisServiceError({
    reason: new WrongType({
      ...siteOf(site),
      key: !isEntitySpec(spec) && hasOwnKey(spec) ? `${key}:${spec.f}` : key,
      applied
    })
  })
}

const readsEntity: ReadonlySet<Op> = new Set([Op.read, Op.find, Op.getOrInsert])

const undecodable = (step: Instruct, problem: Problem, applied: boolean): EntityCorrupted | RedisServiceError => {
  const { field, key, op, place } = step
  return readsEntity.has(op)
    ? new EntityCorrupted({
      model: place.model,
      id: place.id,
      field: problem.field === "" ? field : problem.field,
      key,
      issue: problem.issue,
      applied
    })
    : wrongType(step, applied)
}

const numberOrBigInt = (limit: number | string): number | bigint => typeof limit === "number" ? limit : BigInt(limit)

const limitOf = (step: Instruct, bound: Extract<Failure, { readonly _tag: "bounds" }>["bound"]): number | bigint => {
  const spec = step.spec as FieldSpec
  const args = step.args
  switch (bound) {
    case "minimum":
      return numberOrBigInt(spec.ge!)
    case "exclusiveMinimum":
      return numberOrBigInt(spec.gt!)
    case "maximum":
      return numberOrBigInt(spec.le!)
    case "exclusiveMaximum":
      return numberOrBigInt(spec.lt!)
    case "minLength":
      return spec.minl!
    case "maxLength":
      return spec.maxl!
    case "minSize":
      return spec.minc!
    case "maxSize":
      return spec.maxc!
    case "atLeast":
      return numberOrBigInt(args[args.length - 2] as number | string)
    case "atMost":
      return numberOrBigInt(args[args.length - 1] as number | string)
  }
}

const errorOf = (step: Instruct, failure: Failure): unknown => {
  switch (failure._tag) {
    case "missing": {
      const { id, model } = siteOf(failure.other === true ? step.other! : step)
      return new EntityNotFound({ model, id })
    }
    case "exists": {
      const { id, model } = siteOf(failure.other === true ? step.other! : step)
      return new EntityExists({ model, id })
    }
    case "index":
      return new IndexOutOfRange({ ...siteOf(step), index: step.args[0] as number })
    case "bounds":
      return new OutOfBounds({ ...siteOf(step), bound: failure.bound, limit: limitOf(step, failure.bound) })
    case "arithmetic":
      return new ArithmeticError({ ...siteOf(step), reason: failure.reason })
    case "tooLarge":
      return new InvalidValue({ ...siteOf(step), issue: `Expected at most ${failure.limit} ${failure.what}` })
    case "type":
      return failure.other === true
        ? wrongType(step.other!, false)
        : undecodable(step, new Problem("Expected an entity, found a key of another kind"), false)
    case "fail":
      return failure
  }
}

/**
 * What a reply means to the caller.
 *
 * @internal
 */
export const settle = (compiled: Compiled, reply: Reply): Exit.Exit<any, any> => {
  const { fold, program, steps } = compiled
  if (reply._tag === "failed") return Exit.fail(errorOf(steps[reply.failure.step]!, reply.failure))
  const values: Array<unknown> = []
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i]!
    const value = step.decode(reply.results[i] as Result)
    if (value instanceof Problem) return Exit.fail(undecodable(step, value, program.access !== "read"))
    if (fold === onlyResult) return Exit.succeed(value)
    values.push(value)
  }
  return Exit.succeed(run(fold, values))
}

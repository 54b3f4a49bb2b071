/**
 * Makes a flat list of instructions of a tree, and a fold of their results in postfix, so that neither depth nor length can
 * exhaust a stack.
 */
import type { InvalidValue } from "../../DomainError.ts"
import { record } from "../schema/record.ts"
import type { AtomicNode, Deferred, Instruct } from "./atomic.ts"
import { accessOf, type Program } from "./instruction.ts"

type Fold =
  | { readonly _tag: "value"; readonly value: unknown }
  | { readonly _tag: "result"; readonly step: number }
  | { readonly _tag: "map"; readonly f: (a: any) => unknown }
  | { readonly _tag: "collect"; readonly count: number; readonly names: ReadonlyArray<string> | undefined }
  | { readonly _tag: "second" }

/** @internal */
export interface Compiled {
  readonly program: Program
  readonly steps: ReadonlyArray<Instruct>
  readonly fold: ReadonlyArray<Fold>
  /** whether it reads what may be unreadable */
  readonly isTolerant: boolean
}

/**
 * Of a program of one step: its result.
 *
 * @internal
 */
export const onlyResult: ReadonlyArray<Fold> = [{ _tag: "result", step: 0 }]
const second: Fold = { _tag: "second" }

/** @internal */
export const compile = (root: AtomicNode): Compiled | InvalidValue | ReadonlyArray<Deferred> => {
  if (root._tag === "Instruct") {
    const steps = [root]
    return {
      program: { instructions: steps, access: accessOf(steps) },
      steps,
      fold: onlyResult,
      isTolerant: root.isTolerant
    }
  }
  const steps: Array<Instruct> = []
  const fold: Array<Fold> = []
  const pending: Array<Deferred> = []
  const work: Array<AtomicNode | Fold> = [root]
  while (work.length > 0) {
    const item = work.pop()!
    switch (item._tag) {
      case "Succeed":
        fold.push({ _tag: "value", value: item.value })
        break
      case "Instruct":
        fold.push({ _tag: "result", step: steps.push(item) - 1 })
        break
      case "Invalid":
        return item.error
      case "Deferred":
        if (item.resolved === undefined) pending.push(item)
        else work.push(item.resolved)
        break
      case "Mapped":
        work.push({ _tag: "map", f: item.f }, item.self)
        break
      case "AndThen":
        work.push(second, item.that, item.self)
        break
      case "All":
        work.push({ _tag: "collect", count: item.items.length, names: item.names })
        for (let i = item.items.length - 1; i >= 0; i--) work.push(item.items[i]!)
        break
      default:
        fold.push(item)
    }
  }
  if (pending.length > 0) return pending
  const isTolerant = steps.some((step) => step.isTolerant)
  return { program: { instructions: steps, access: accessOf(steps) }, steps, fold, isTolerant }
}

/**
 * What the results of the steps become.
 *
 * @internal
 */
export const run = (fold: ReadonlyArray<Fold>, values: ReadonlyArray<unknown>): unknown => {
  const stack: Array<unknown> = []
  for (const item of fold) {
    switch (item._tag) {
      case "value":
        stack.push(item.value)
        break
      case "result":
        stack.push(values[item.step])
        break
      case "map":
        stack.push(item.f(stack.pop()))
        break
      case "second": {
        const value = stack.pop()
        stack[stack.length - 1] = value
        break
      }
      case "collect": {
        const items = stack.splice(stack.length - item.count, item.count)
        stack.push(item.names === undefined ? items : record(item.names.map((name, i) => [name, items[i]])))
      }
    }
  }
  return stack[0]
}

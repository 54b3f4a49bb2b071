/**
 * The comparison of a struct with a value: a test for each of its scalar fields.
 */
import { Op } from "../instruction/ops.ts"
import { noFields } from "../instruction/spec.ts"
import { Junction, Not } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Struct } from "../schema/plan.ts"
import { Problem } from "../text/problem.ts"
import { type HandleRef, instruct, invalid, isOne, named, noArguments, pathOf, refusedBy } from "./entityRef.ts"
import { leafHandle, shapeOf } from "./leaf.ts"
import { OptionalHandle } from "./scalar.ts"

const testsOf = (ref: HandleRef, self: Struct, value: unknown, method: "eq" | "neq"): Array<AtomicNode> => {
  const refused = (field: string, problem: Problem) => refusedBy(pathOf(field, method), invalid(ref, field, problem))
  if (typeof value !== "object" || value === null) return [refused(self.field, new Problem("Expected an object"))]
  return self.fields.flatMap(([name, child]) => {
    const part = (value as Record<string, unknown>)[name]
    switch (child._tag) {
      case "key":
        return []
      case "struct":
        return testsOf(ref, child, part, method)
      case "collection":
        return [refused(child.field, new Problem("A collection can't be compared as a whole"))]
      case "leaf": {
        const handle = leafHandle(ref, child, shapeOf(child))
        return handle instanceof OptionalHandle &&
            (part === undefined || part === null && child.absence === "null")
          ? [new Not(refusedBy(pathOf(child.field, method), named(method, handle.isSet())))]
          : [refusedBy(pathOf(child.field, method), named(method, handle.eq(part)))]
      }
    }
  })
}

/**
 * True if each field equals the one of the value. A struct without fields equals any object if the entity exists.
 *
 * @param method the method that the user called: `neq` is the negation of this
 * @internal
 */
export const equalsStruct = (ref: HandleRef, self: Struct, value: unknown, method: "eq" | "neq"): AtomicNode => {
  const tests = testsOf(ref, self, value, method)
  return tests.length === 0
    ? refusedBy(method, named(method, instruct(ref, Op.exists, noFields, "", noArguments, isOne)))
    : new Junction(true, tests)
}

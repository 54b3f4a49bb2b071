/**
 * The results of the operations of each kind of field, and exactly their errors.
 */
import type { DateTime, HashSet, Option } from "effect"
import type { Atomic, Field } from "redlayer"
import { type Equals, type ErrorOf, holds, type SuccessOf } from "./equals.ts"
import type { Arithmetic, Bounds, Index, Invalid, NotFound } from "./errors.ts"
import { ref } from "./handles.ts"

// -- 6. methods, their results, and exactly the errors they have ---------------------------------------------------------

holds<Equals<SuccessOf<typeof ref.text.get>, string>>()
holds<Equals<ErrorOf<typeof ref.text.get>, NotFound | Invalid>>()
holds<Equals<SuccessOf<typeof ref.text.set>, void>>()
const set = ref.text.set("a")
holds<Equals<Atomic.Error<typeof set>, NotFound | Invalid>>()
holds<Equals<SuccessOf<typeof ref.text.compareAndSet>, boolean>>()
holds<Equals<ErrorOf<typeof ref.text.compareAndSet>, NotFound | Invalid>>()
holds<Equals<SuccessOf<typeof ref.text.getAndSet>, string>>()
holds<Equals<SuccessOf<typeof ref.text.append>, number>>()
holds<Equals<ErrorOf<typeof ref.text.append>, NotFound | Invalid | Bounds>>()
holds<Equals<SuccessOf<typeof ref.int.increment>, number>>()
holds<Equals<ErrorOf<typeof ref.int.increment>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<ErrorOf<typeof ref.int.decrement>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<ErrorOf<typeof ref.int.multiply>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<ErrorOf<typeof ref.int.divide>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<ErrorOf<typeof ref.int.quotient>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<ErrorOf<typeof ref.int.modulo>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<ErrorOf<typeof ref.int.min>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<ErrorOf<typeof ref.int.max>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<ErrorOf<typeof ref.int.clamp>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<ErrorOf<typeof ref.int.getAndSet>, NotFound | Invalid>>()
holds<Equals<SuccessOf<typeof ref.bool.toggle>, boolean>>()
holds<Equals<ErrorOf<typeof ref.bool.toggle>, NotFound | Invalid>>()
holds<Equals<SuccessOf<typeof ref.words.get>, ReadonlyArray<string>>>()
holds<Equals<ErrorOf<typeof ref.words.get>, NotFound | Invalid>>()
holds<Equals<SuccessOf<typeof ref.words.set>, void>>()
holds<Equals<ErrorOf<typeof ref.words.set>, NotFound | Invalid>>()
holds<Equals<SuccessOf<typeof ref.words.append>, number>>()
const appended = ref.words.append("a")
holds<Equals<typeof appended, Atomic.Atomic<number, NotFound | Invalid | Bounds>>>()
holds<Equals<ErrorOf<typeof ref.words.append>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<SuccessOf<typeof ref.words.prepend>, number>>()
const prepended = ref.words.prepend(["a", "b"])
holds<Equals<typeof prepended, Atomic.Atomic<number, NotFound | Invalid | Bounds>>>()
holds<Equals<SuccessOf<typeof ref.words.pop>, Option.Option<string>>>()
holds<Equals<ErrorOf<typeof ref.words.pop>, NotFound | Invalid | Bounds>>()
holds<Equals<SuccessOf<typeof ref.words.shift>, Option.Option<string>>>()
holds<Equals<ErrorOf<typeof ref.words.shift>, NotFound | Invalid | Bounds>>()
holds<Equals<SuccessOf<typeof ref.words.length>, number>>()
holds<Equals<ErrorOf<typeof ref.words.length>, NotFound | Invalid>>()
holds<Equals<SuccessOf<typeof ref.words.slice>, ReadonlyArray<string>>>()
holds<Equals<SuccessOf<typeof ref.words.clear>, void>>()
holds<Equals<ErrorOf<typeof ref.words.clear>, NotFound | Invalid>>()
void ref.words.append("a", { keep: 100 })
void ref.words.append(["a", "b"])
// @ts-expect-error
void ref.words.append(1)
// @ts-expect-error
void ref.choices.append("z")
// @ts-expect-error: operations are methods
ref.int.increment.pipe

holds<Equals<SuccessOf<typeof ref.int.power>, number>>()
holds<Equals<ErrorOf<typeof ref.int.power>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<SuccessOf<typeof ref.big.increment>, bigint>>()
holds<Equals<SuccessOf<typeof ref.utc.add>, DateTime.Utc>>()
holds<Equals<ErrorOf<typeof ref.utc.add>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<SuccessOf<typeof ref.words.insert>, number>>()
const inserted = ref.words.insert(0, "a")
holds<Equals<typeof inserted, Atomic.Atomic<number, NotFound | Invalid | Bounds | Index>>>()
holds<Equals<SuccessOf<typeof ref.words.remove>, number>>()
holds<Equals<SuccessOf<typeof ref.words.removeRange>, void>>()
holds<Equals<SuccessOf<typeof ref.words.trim>, void>>()
holds<Equals<ErrorOf<typeof ref.words.trim>, NotFound | Invalid | Bounds>>()
// an array is several items, so one that is an item has to be in another
void ref.nested.append([[1]])
// @ts-expect-error
void ref.nested.append([1])
void ref.nested.remove([1])
// @ts-expect-error
void ref.points.add([[{ x: 1 }]])

holds<Equals<SuccessOf<typeof ref.set.get>, ReadonlySet<string>>>()
holds<Equals<SuccessOf<typeof ref.hashSet.union>, HashSet.HashSet<string>>>()
holds<Equals<SuccessOf<typeof ref.set.add>, number>>()
holds<Equals<SuccessOf<typeof ref.set.remove>, boolean>>()
holds<Equals<SuccessOf<typeof ref.set.removeAll>, number>>()
holds<Equals<SuccessOf<typeof ref.set.pop>, Option.Option<string>>>()
holds<Equals<ErrorOf<typeof ref.set.pop>, NotFound | Invalid | Bounds>>()
holds<Equals<ErrorOf<typeof ref.set.has>, NotFound | Invalid>>()
holds<Equals<ErrorOf<typeof ref.set.union>, NotFound | Invalid>>()
void ref.set.union(ref.hashSet)
// @ts-expect-error: of other members
void ref.set.union(ref.points)
// @ts-expect-error: a list is no set
void ref.set.union(ref.words)
// @ts-expect-error
void ref.set.add(1)

holds<Equals<SuccessOf<typeof ref.record.get>, { readonly [x: string]: number }>>()
holds<Equals<SuccessOf<typeof ref.map.keys>, ReadonlyArray<string>>>()
holds<Equals<SuccessOf<typeof ref.map.put>, void>>()
holds<Equals<ErrorOf<typeof ref.map.put>, NotFound | Invalid | Bounds>>()
holds<Equals<SuccessOf<typeof ref.map.pop>, Option.Option<number>>>()
holds<Equals<SuccessOf<typeof ref.hashMap.popAny>, Option.Option<readonly [key: Date, value: boolean]>>>()
holds<Equals<SuccessOf<typeof ref.record.remove>, boolean>>()
holds<Equals<SuccessOf<typeof ref.record.removeAll>, number>>()
void ref.record.putAll({ a: 1 })
// @ts-expect-error
void ref.record.putAll({ a: "1" })
// @ts-expect-error
void ref.map.putAll({ a: 1 })

holds<Equals<SuccessOf<typeof ref.sorted.get>, ReadonlyArray<Field.Scored<string>>>>()
holds<Equals<SuccessOf<typeof ref.sorted.add>, boolean>>()
holds<Equals<SuccessOf<typeof ref.sorted.increment>, number>>()
holds<Equals<ErrorOf<typeof ref.sorted.increment>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<SuccessOf<typeof ref.sorted.rank>, Option.Option<number>>>()
holds<Equals<SuccessOf<typeof ref.sortedDates.popMin>, Option.Option<Field.Scored<Date>>>>()
holds<Equals<ErrorOf<typeof ref.sorted.popMax>, NotFound | Invalid | Bounds>>()
holds<Equals<ErrorOf<typeof ref.sorted.range>, NotFound | Invalid>>()
void ref.sorted.rangeByScore({ min: 1, limit: 5, reverse: true })
// @ts-expect-error
void ref.sorted.rangeByScore({ from: 1 })

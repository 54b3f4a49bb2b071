/**
 * The types of the server's time, and of scores, ranks and counts.
 */
import type { DateTime, Duration } from "effect"
import { Atomic, Condition, type Field } from "redlayer"
import { type Equals, holds } from "./equals.ts"
import type { Arithmetic, Index, Invalid, NotFound } from "./errors.ts"

declare const int: Field.Number
declare const num: Field.Number
declare const text: Field.Text
declare const date: Field.Time<Date>
declare const wait: Field.Time<Duration.Duration>
declare const moment: Field.Time<DateTime.Utc>
declare const dates: Field.List<Date, Field.Time<Date, NotFound | Invalid | Index>>
declare const ranking: Field.SortedSet<string>
holds<Equals<typeof Atomic.now, Field.TimeOperand<Date & DateTime.Utc, never>>>()
void date.set(Atomic.now)
void moment.set(Atomic.now.plus("1 day"))
void moment.lte(Atomic.now.minus("1 hour"))
void dates.at(0).lte(Atomic.now.minus("1 hour"))
void dates.append(Atomic.now, { keep: 3 })
void date.lt(date.value().plus("1 second"))
void int.set(Atomic.now.epochMillis)
void ranking.add("a", Atomic.now.epochMillis)
const due = ranking.count({ max: Atomic.now.epochMillis.minus(5) })
holds<Equals<typeof due, Field.Count<NotFound | Invalid | Arithmetic>>>()
const upToFive = ranking.count({ max: 5 })
holds<Equals<typeof upToFive, Field.Count>>()
void ranking.removeRangeByScore({ max: Atomic.now.epochMillis })
holds<Equals<ReturnType<typeof ranking.score>, Field.Standing>>()
void Atomic.guard(
  Condition.and(ranking.rank("a").lt(10), upToFive.lt(100), ranking.score("a").gte(num.value())),
  () => "no"
)
void int.set(ranking.score("a").value({ default: 0 }).plus(upToFive.value()))
// @ts-expect-error: a value that is no member has no score
ranking.score("a").value()
// @ts-expect-error: a duration is no time
void wait.set(Atomic.now)
// @ts-expect-error
void text.set(Atomic.now)
// @ts-expect-error: its milliseconds are the number
void ranking.add("a", Atomic.now)
// @ts-expect-error
void int.increment(Atomic.now)

// an item may not be there, unless a default takes its place
declare const numbers: Field.List<number, Field.Number<number, NotFound | Invalid | Index>>
const itemOrZero = numbers.at(0).value({ default: 0 })
holds<Equals<typeof itemOrZero, Field.NumberOperand<number>>>()
void int.increment(itemOrZero.plus(numbers.at(-1).value({ default: 1 })))
void date.set(dates.at(0).value({ default: new Date(0) }).plus("1 hour"))
// without a default it may fail with IndexOutOfRange
const itemOrNone = numbers.at(0).value()
holds<Equals<typeof itemOrNone extends Parameters<typeof int.increment>[0] ? true : false, false>>()
// @ts-expect-error: the default is an item
void numbers.at(0).value({ default: "0" })

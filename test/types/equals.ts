/**
 * Statements about types. A file of such statements holds when it compiles, and `@ts-expect-error` marks what must not.
 */
import type { Atomic } from "redlayer"

/**
 * Whether two types are the same, and not merely assignable to one another: the compiler compares the two conditional types by
 * identity. `any` equals only itself, and `readonly` counts.
 */
export type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false

/** Compiles when the statement is true. */
export const holds = <_Statement extends true>(): void => {}

/** The names of what a handle offers. */
export type Names<A> = Extract<keyof A, string>

/** The result of a method. */
export type SuccessOf<Method extends (...args: any) => Atomic.Any> = Atomic.Success<ReturnType<Method>>

/** The errors of a method, apart from `RedisServiceError`. */
export type ErrorOf<Method extends (...args: any) => Atomic.Any> = Atomic.Error<ReturnType<Method>>

holds<Equals<string, string>>()
holds<Equals<"a" | "b", "b" | "a">>()
holds<Equals<Atomic.Atomic<number>, Atomic.Atomic<number, never>>>()
// @ts-expect-error
holds<Equals<string, any>>()
// @ts-expect-error
holds<Equals<any, unknown>>()
// @ts-expect-error
holds<Equals<never, any>>()
// @ts-expect-error
holds<Equals<string, string | number>>()
// @ts-expect-error
holds<Equals<{ readonly a: string }, { a: string }>>()
// @ts-expect-error
holds<Equals<{ readonly a?: string }, { readonly a: string | undefined }>>()
// @ts-expect-error: assignable, and another type
holds<Equals<Atomic.Atomic<number>, Atomic.Atomic<number | string>>>()

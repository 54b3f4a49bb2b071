/**
 * The plan of a model's indexes: which stored values each is made of, and how bounds become texts.
 */
import type { IndexedValue, Indexes, IndexSpec } from "../instruction/indexes.ts"
import { escape, escapeField } from "../text/escape.ts"
import { encode, type OrderCode } from "../text/orderCode.ts"
import { Problem } from "../text/problem.ts"
import type { Codec } from "./codec.ts"
import { orderCodeOf } from "./orderCodeOf.ts"
import type { Leaf } from "./plan.ts"

/**
 * A value of an index, as users know it.
 *
 * @internal
 */
export interface Indexed {
  /** The dotted name of the field. */
  readonly field: string
  readonly codec: Codec
  readonly code: OrderCode
  /** Whether an entity may lack it. */
  readonly mayBeAbsent: boolean
  /** Whether a stored value may have no place in the order: NaN. Writes of it are refused, but it may be older than the index. */
  readonly mayHaveNoPlace: boolean
}

/**
 * An index of a model.
 *
 * @internal
 */
export interface Index {
  readonly spec: IndexSpec
  /** Its position in the specification, from 1 on. */
  readonly position: number
  readonly values: ReadonlyArray<Indexed>
}

/**
 * An aggregate of a model. It is kept as an index is.
 *
 * @internal
 */
export interface Aggregate extends Index {
  /** The codec of what entities add. Undefined: each adds 1. */
  readonly codec: Codec | undefined
}

/** @internal */
export interface ModelIndexes {
  readonly spec: Indexes
  readonly byName: ReadonlyMap<string, Index>
  readonly counted: ReadonlyMap<string, Aggregate>
  readonly summed: ReadonlyMap<string, Aggregate>
  /** The fields of the hash that some index names, by stored name. */
  readonly byField: ReadonlyMap<string, Indexed>
}

/**
 * The options of a model that define indexes. `Model.Options` documents them.
 *
 * @internal
 */
export interface IndexOptions {
  readonly indexes?: Readonly<Record<string, ReadonlyArray<string> | IndexDefinition>> | undefined
  readonly unique?: Readonly<Record<string, ReadonlyArray<string>>> | undefined
  readonly counted?: Readonly<Record<string, ReadonlyArray<string> | AggregateDefinition>> | undefined
  readonly summed?: Readonly<Record<string, AggregateDefinition>> | undefined
  readonly live?: boolean | undefined
}

interface IndexDefinition {
  readonly fields: ReadonlyArray<string>
  readonly where?: Readonly<Record<string, unknown>> | undefined
  readonly absent?: boolean | undefined
}

interface AggregateDefinition extends Omit<IndexDefinition, "fields"> {
  readonly by: ReadonlyArray<string>
  readonly of?: string | undefined
}

/** The kinds whose sums are exact. */
const sumKinds: ReadonlyArray<Codec["kind"]> = ["integer", "int64", "duration"]

const scoreKinds: ReadonlyArray<Codec["kind"]> = ["integer", "number", "date"]

const maximumFields = 4

/**
 * A short text that differs between definitions, or queries.
 *
 * @internal
 */
export const digest = (text: string): string => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(36)
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

/**
 * Plans the indexes of a model, or returns undefined if it has none. Calls `refuse` if a definition is invalid.
 *
 * @param parts the fields of the key, and where the stored key has each: its position in the escaped id, or 0 for the tag
 * @param isSpread whether entities are in partitions, so that no program sees all entries of an index
 * @internal
 */
export const planIndexes = (
  leaves: ReadonlyArray<Leaf>,
  parts: ReadonlyArray<{ readonly field: string; readonly codec: Codec; readonly part: number }>,
  hasOneHome: boolean,
  isSpread: boolean,
  model: string,
  options: IndexOptions,
  refuse: (why: string) => never
): ModelIndexes | undefined => {
  interface Wanted extends IndexDefinition {
    readonly name: string
    readonly isUnique: boolean
    /** Unset: it is no aggregate. */
    readonly kind?: "counted" | "summed"
    /** The field that a sum is of. */
    readonly of?: unknown
  }
  const wanted: Array<Wanted> = leaves.filter(({ indexed }) => indexed !== false).map(({ field, indexed }) => ({
    name: field,
    fields: [field],
    isUnique: indexed === "unique"
  }))
  const entriesOf = (name: "indexes" | "unique" | "counted" | "summed") => {
    const given: unknown = options[name]
    if (given !== undefined && !isObject(given)) return refuse(`its \`${name}\` must be an object of lists of fields`)
    return Object.entries(given ?? {})
  }
  for (const [name, given] of entriesOf("indexes")) {
    wanted.push({ ...(Array.isArray(given) ? { fields: given } : given as IndexDefinition), name, isUnique: false })
  }
  for (const [name, fields] of entriesOf("unique")) {
    wanted.push({ name, fields: fields as ReadonlyArray<string>, isUnique: true })
  }
  for (const kind of ["counted", "summed"] as const) {
    for (const [name, given] of entriesOf(kind)) {
      const { absent, by, of, where } = (Array.isArray(given) ? { by: given } : given ?? {}) as AggregateDefinition
      wanted.push({ name, fields: by, isUnique: false, absent, where, kind, ...(kind === "summed" && { of }) })
    }
  }
  if (wanted.length === 0 && options.live !== true) return undefined

  interface Source extends Indexed {
    readonly value: IndexedValue
  }
  const used: Array<Source> = []
  const sourceOf = (owner: string, name: unknown): Source => {
    const known = used.find(({ field }) => field === name)
    if (known !== undefined) return known
    const part = parts.find(({ field }) => field === name)
    const leaf = leaves.find(({ field }) => field === name)
    const codec = part?.codec ?? leaf?.codec
    if (codec === undefined) return refuse(`${owner} names "${String(name)}", which is not a scalar field`)
    const code = orderCodeOf(codec)
    if (code === undefined) {
      return refuse(`${owner} names "${String(name)}", whose values have no order that an index can keep`)
    }
    const source: Source = {
      field: name as string,
      codec,
      code,
      mayBeAbsent: part === undefined && (leaf!.absence !== "refused" || leaf!.omits),
      mayHaveNoPlace: code === "d" && codec.kind === "number" && !(codec.encode(NaN) instanceof Problem),
      value: part === undefined
        ? {
          field: leaf!.spec.field,
          code,
          ...(leaf!.spec.default === undefined ? undefined : { default: leaf!.spec.default }),
          ...(leaf!.spec.nullable && { nullable: true })
        }
        : { part: part.part, code }
    }
    used.push(source)
    return source
  }
  const summandOf = (owner: string, name: unknown): Source => {
    const source = sourceOf(owner, name)
    if (sumKinds.includes(source.codec.kind)) return source
    return refuse(
      `${owner} is of "${source.field}", whose values are no integers, bigints or durations, so no sum is exact`
    )
  }
  const sources = wanted.map((one) => {
    const { absent, fields, isUnique, kind, name, where } = one
    const called = kind === undefined ? "index" : "aggregate"
    const owner = `its ${called} "${name}"`
    if (name === "" || !name.isWellFormed()) {
      return refuse(`the name of an ${called} must be well-formed Unicode, and not empty`)
    }
    const least = kind === undefined ? 1 : 0
    if (!Array.isArray(fields) || fields.length < least || fields.length > maximumFields) {
      return refuse(
        kind === undefined
          ? `${owner} must have one to ${maximumFields} fields`
          : `${owner} must have a list \`by\` of at most ${maximumFields} fields`
      )
    }
    if (isUnique && isSpread) {
      return refuse(`${owner} can't be unique, because its entities are spread over partitions`)
    }
    if (new Set(fields).size < fields.length) return refuse(`${owner} names a field twice`)
    return {
      name,
      isUnique,
      kind,
      absent: absent === true,
      values: fields.map((field) => sourceOf(owner, field)),
      where: Object.entries(where ?? {}).map(([field, value]) => {
        const source = sourceOf(owner, field)
        const text = source.codec.encode(value)
        if (text instanceof Problem) {
          return refuse(`${owner} has a \`where\` that "${field}" refuses: ${text.issue}`)
        }
        return [source, text] as const
      }),
      of: "of" in one ? summandOf(owner, one.of) : undefined
    }
  })
  const byName = new Map<string, Index>()
  const aggregates = { counted: new Map<string, Aggregate>(), summed: new Map<string, Aggregate>() }
  // the parts of the key come last
  const ordered = used.toSorted((a, b) => Number(a.value.part !== undefined) - Number(b.value.part !== undefined))
  const plan = digest(JSON.stringify([
    ordered.map(({ value }) => value),
    sources.map(({ absent, isUnique, kind, name, of, values, where }) => [
      name,
      values.map((value) => ordered.indexOf(value)),
      where.map(([value, text]) => [ordered.indexOf(value), text]),
      isUnique,
      absent,
      ...(kind === undefined ? [] : [kind, of && ordered.indexOf(of)])
    ])
  ]))
  const list = sources.map(({ absent, isUnique, kind, name, of, values, where }, i): IndexSpec => {
    if (kind === undefined && byName.has(name)) return refuse(`it has two indexes of the name "${name}"`)
    const [only] = values
    const isScore = values.length === 1 && !isUnique && !absent && where.length === 0 &&
      only!.value.part === undefined && scoreKinds.includes(only!.codec.kind)
    const spec: IndexSpec = {
      name,
      // no escaped name of an index has a colon
      stored: `${kind === undefined ? "" : `${kind}:`}${escapeField(name)}:${plan}`,
      order: kind !== undefined ? "sum" : isScore ? "score" : "lex",
      values: values.map((value) => ordered.indexOf(value)),
      ...(of === undefined ? undefined : { of: ordered.indexOf(of) }),
      ...(where.length === 0 ? undefined : { where: where.map(([value, text]) => [ordered.indexOf(value), text]) }),
      ...(isUnique ? { isUnique } : undefined),
      ...(absent ? { keepsAbsent: true } : undefined)
    }
    const index = { spec, position: i + 1, values }
    if (kind === undefined) byName.set(name, index)
    else aggregates[kind].set(name, { ...index, codec: of?.codec })
    return spec
  })
  return {
    spec: {
      hasOneHome,
      values: ordered.map(({ value }) => value),
      list,
      plan,
      ...(options.live === true ? { live: escape(model) } : undefined)
    },
    byName,
    ...aggregates,
    byField: new Map(used.flatMap((source) => source.value.field === undefined ? [] : [[source.value.field, source]]))
  }
}

/**
 * The code of a value in an index.
 *
 * @internal
 */
export const encodeIndexed = ({ code, codec, field }: Indexed, value: unknown): string | Problem => {
  const text = codec.encodeUnchecked(value)
  return text instanceof Problem
    ? text.within(field)
    : encode(code, text) ?? new Problem("Expected a value that has a place in the order", field)
}

/**
 * A model as the tests see it, beside its schema: the names and texts under which its fields are stored, and a random call of
 * each of its operations.
 */
import type { Field, Model } from "redlayer"
import type { Indexes } from "../../src/internal/instruction/indexes.ts"
import * as Collection from "./calls/collectionCalls.ts"
import type { Target } from "./calls/entityCalls.ts"
import type * as Op from "./calls/scalarCalls.ts"
import type { Operand } from "./operands.ts"
import type { Gen, Random } from "./random.ts"
import type { Stored } from "./storedTexts.ts"

/** The storage of one field: in the entity's hash, or under a key of its own. */
export interface Place {
  readonly name: string
  readonly kind: "leaf" | "list" | "set" | "map" | "zset"
  /** the text itself, or that of an item, a member, the value of an entry */
  readonly texts: Stored
  /** the texts of the names of entries */
  readonly names: Stored | undefined
  readonly mayLack: boolean
}

type Calls<R> = ReadonlyArray<readonly [operation: string, call: Op.Call<R>]>

/** A handle that a guard may observe. */
export interface Observable {
  readonly get: () => Op.Program
}

export interface FieldCase {
  readonly name: string
  readonly observe: (ref: any) => Observable
  /** what it offers to operations of other fields */
  readonly operands: ReadonlyArray<(ref: any, random: Random) => Operand>
  /** undefined for a struct as a whole */
  readonly stored: Place | undefined
  readonly calls: Calls<any>
  /** whether the server can't compute on it, so that most operations are refused */
  readonly refuses?: true
}

export interface ModelCase {
  readonly name: string
  readonly model: Model.Any
  /** the ids of the entities that the programs of one world share, each with the key of its hash */
  readonly ids: (world: number) => ReadonlyArray<readonly [id: unknown, key: string]>
  readonly fields: ReadonlyArray<FieldCase>
  readonly entity: (random: Random, id: unknown) => unknown
  readonly patch: Gen<unknown>
  /** what its entities live for, where it is renewed */
  readonly lives?: number
  /** its indexes, as instructions know them */
  readonly spec?: Indexes
  /** reads of its indexes */
  readonly calls?: ReadonlyArray<readonly [operation: string, call: Op.Call<Target>]>
}

export const refusing = (field: FieldCase): FieldCase => ({ ...field, refuses: true })

/** A field whose stored name is another. */
export const storedAs = (name: string, field: FieldCase): FieldCase => ({
  ...field,
  stored: { ...field.stored!, name }
})

const length = Collection.sizeOf((handle: { length(): Field.Count }) => handle.length())
const size = Collection.sizeOf((handle: { size(): Field.Count }) => handle.size())

/** Describes a field of the model whose handles are `R`. */
export const fieldsOf = <R>() => {
  const calls = <H>(kind: string, of: (ref: R) => H, table: { readonly [name: string]: Op.Call<H> }): Calls<R> =>
    Object.entries(table).map(([name, call]) =>
      [`${kind}.${name}`, (ref: R, random: Random, other: R) => call(of(ref), random, of(other))] as const
    )
  const place = (name: string, kind: Place["kind"], texts: Stored, names?: Stored, mayLack = false): Place => ({
    name,
    kind,
    texts,
    names,
    mayLack
  })
  return {
    scalar: <H>(
      name: string,
      kind: string,
      of: (ref: R) => H,
      table: Op.Table<NoInfer<H>>,
      stored: Stored
    ): FieldCase => ({
      name,
      observe: of as (ref: R) => any,
      operands: /^(optional|nullable)/.test(kind) ? [] : [(ref) => (of(ref) as any).value()],
      stored: place(name, "leaf", stored, undefined, kind.startsWith("optional")),
      calls: calls(kind, of, table as any)
    }),
    whole: <H>(name: string, of: (ref: R) => H, table: Op.Table<NoInfer<H>>): FieldCase => ({
      name,
      observe: of as (ref: R) => any,
      operands: [],
      stored: undefined,
      calls: calls("whole", of, table as any)
    }),
    list: <H extends Field.List<any, any>>(
      name: string,
      itemKind: string,
      of: (ref: R) => H,
      table: Op.Table<Omit<NoInfer<H>, "at">>,
      item: Op.Table<ReturnType<NoInfer<H>["at"]>>,
      stored: Stored
    ): FieldCase => ({
      name,
      observe: of,
      operands: [
        (ref) => of(ref).length().value(),
        (ref, random) => (of(ref).at(random.pick([0, 0, -1, 1])) as any).value()
      ],
      stored: place(name, "list", stored),
      calls: [
        ...calls("list", of, table as any),
        ...calls("count", of, length),
        ...calls(`item ${itemKind}`, of, Collection.at(item) as any)
      ]
    }),
    set: <H extends Field.Set<any, any>>(
      name: string,
      of: (ref: R) => H,
      table: Op.Table<NoInfer<H>>,
      stored: Stored
    ): FieldCase => ({
      name,
      observe: of,
      operands: [(ref) => of(ref).size().value()],
      stored: place(name, "set", stored),
      calls: [...calls("set", of, table as any), ...calls("count", of, size)]
    }),
    map: <H extends Field.Map<any, any, any, any>>(
      name: string,
      entryKind: string,
      of: (ref: R) => H,
      table: Op.Table<Omit<NoInfer<H>, "at">>,
      key: Gen<any>,
      entry: Op.Table<ReturnType<NoInfer<H>["at"]>>,
      names: Stored,
      stored: Stored
    ): FieldCase => ({
      name,
      observe: of,
      operands: [(ref) => of(ref).size().value()],
      stored: place(name, "map", stored, names),
      calls: [
        ...calls("map", of, table as any),
        ...calls("count", of, size),
        ...calls(`entry ${entryKind}`, of, Collection.entryAt(key, entry) as any)
      ]
    }),
    sortedSet: <H extends Field.SortedSet<any>>(
      name: string,
      of: (ref: R) => H,
      table: Op.Table<NoInfer<H>>,
      member: Gen<any>,
      stored: Stored
    ): FieldCase => ({
      name,
      observe: of,
      operands: [
        (ref) => of(ref).size().value(),
        (ref) => of(ref).count({ min: 1 }).value(),
        (ref, random) => of(ref).score(member(random)).value({ default: 1 })
      ],
      stored: place(name, "zset", stored),
      calls: [
        ...calls("sorted set", of, table as any),
        ...calls("count", of, size),
        ...calls("range count", of, Collection.rangeCount as any),
        ...calls("score", of, Collection.scoreOf(member) as any),
        ...calls("rank", of, Collection.rankOf(member) as any)
      ]
    })
  }
}

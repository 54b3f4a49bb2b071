/**
 * A random call of each program on a whole entity.
 */
import { Duration, Option } from "effect"
import { Atomic, type Model } from "redlayer"
import type { Gen, Random } from "../random.ts"
import type { Call } from "./scalarCalls.ts"

/** The programs of a model on the entity of one id. */
export interface Target {
  readonly model: Model.Any
  readonly id: unknown
}

/** A remaining life, which differs by the moment at which each side looked. */
export class Remaining {
  readonly millis: number
  constructor(duration: Duration.Duration) {
    this.millis = Duration.toMillis(duration)
  }
}

/** A version, which differs by the moment at which each side created its entity. */
export class StoredVersion {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Those of entities that were there before, and those after a few writes. */
const versions = ["0", "0", "1", "2", "41", "42", "-7", "-6", "1732000000000000", "1732000000000001"]
const wildVersions: ReadonlyArray<any> = ["01", "", "abc", 1, 0n, null, undefined]

/** They differ by much more than any two moments of a run. */
const lives: ReadonlyArray<Duration.Input> = ["3 hours", Duration.days(2), 400 * 86_400_000, Duration.millis(2 ** 47)]
const wildLives: ReadonlyArray<any> = [0, -1, "0 millis", Infinity, NaN, Duration.infinity, 2 ** 49, "soon", null]

const life: Gen<Duration.Input> = (random) => random.pick(random.wild() ? wildLives : lives)

const creation = (random: Random): Model.InsertOptions | undefined =>
  random.chance(0.5) ? undefined : random.chance(0.3) ? {} : { timeToLive: life(random) }

export const reading = (random: Random): Model.ReadOptions | undefined =>
  random.chance(0.7) ? undefined : { renew: false }

/** Not one program each: several commits of these. */
type Several =
  | "getMany"
  | "insertMany"
  | "deleteMany"
  | "getManyStream"
  | "insertManyStream"
  | "deleteManyStream"
  | "stream"
  | "count"
  | "modify"
  | "withLock"

/** Those of models with indexes: see `models/indexed.ts`. */
type Indexed = "rank" | "top" | "around" | "countBetween" | "findBy" | "getBy" | "existsBy"

type Programs = { readonly [K in Exclude<keyof Model.Any, "ref" | Several | Indexed>]: Call<Target> }

export const entity = (
  make: (random: Random, id: unknown) => unknown,
  patch: Gen<unknown>,
  names: ReadonlyArray<string>
): Programs => ({
  get: ({ id, model }, random) => model.get(id, reading(random)),
  find: ({ id, model }, random) => model.find(id, reading(random)),
  pick: ({ id, model }, random) => {
    const picked = names.filter(() => random.chance(0.3))
    return model.pick(id, random.chance(0.3 * random.wildness) ? [...picked, "nowhere"] : picked, reading(random))
  },
  getVersioned: ({ id, model }, random) =>
    Atomic.map(
      model.getVersioned(id, reading(random)),
      ({ entity, version }) => ({ entity, version: new StoredVersion(version) })
    ),
  version: ({ id, model }) => Atomic.map(model.version(id), (version) => new StoredVersion(version)),
  atVersion: ({ id, model }, random) => model.atVersion(id, random.pick(random.wild() ? wildVersions : versions)),
  exists: ({ id, model }) => model.exists(id),
  insert: ({ id, model }, random) => model.insert(make(random, id), creation(random)),
  put: ({ id, model }, random) => model.put(make(random, id)),
  getOrInsert: ({ id, model }, random) => model.getOrInsert(make(random, id), creation(random)),
  ensure: ({ id, model }, random) => model.ensure(make(random, id), creation(random)),
  update: ({ id, model }, random) => model.update(id, patch(random) as any),
  duplicate: ({ id, model }, _, other) => model.duplicate(id, other.id),
  delete: ({ id, model }) => model.delete(id),
  expire: ({ id, model }, random) => model.expire(id, life(random)),
  persist: ({ id, model }) => model.persist(id),
  timeToLive: ({ id, model }) =>
    Atomic.map(model.timeToLive(id), Option.map((duration: Duration.Duration) => new Remaining(duration)))
})

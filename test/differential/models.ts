/**
 * The models that random programs work on: together they have every kind of field, every form of a key and of a slot, every
 * rule of a time to live. Each is described twice: to the library, by its schema; and to the tests, by the names and texts
 * under which it is stored.
 */
import type { Model } from "redlayer"
import { entity, type Target } from "./calls/entityCalls.ts"
import type { Call } from "./calls/scalarCalls.ts"
import type { ModelCase } from "./modelDescription.ts"
import { cartCase } from "./models/cart.ts"
import { dayCase } from "./models/day.ts"
import { guildCase, realmCase } from "./models/guild.ts"
import { heroCase } from "./models/hero.ts"
import { type IndexedCase, type IndexedOptions, makeIndexed } from "./models/indexed.ts"
import { noteCase } from "./models/note.ts"
import { vaultCase } from "./models/vault.ts"
import { Random } from "./random.ts"

/** A model with random indexes, which lives for ever or not. */
const indexed = (options: IndexedOptions): IndexedCase => {
  const random = new Random(options.name)
  const refresh = random.pick([undefined, "never", "write", "access"] as const)
  const lives = refresh === undefined ? undefined : 10 * 86_400_000
  return makeIndexed({ ...options, refresh, lives, isInherited: random.chance(0.3) }, random)
}

const three = (world: number): ReadonlyArray<readonly [string, number]> => [1, 2, -3].map((n) => [`w${world}`, n])

/** The entities of one world have a home of their own. */
const ladderCase = indexed({ name: "Ladder", slot: "component", ids: three, unique: "always" })
/** All worlds have one home, and each its own part of the indexes. */
const leagueCase = indexed({ name: "League", slot: "id", ids: three, unique: "always", isApart: true })
const scatterCase = indexed({ name: "Scatter", slot: "partitions", ids: three, unique: "never" })

/** Models with indexes. Their programs cost most, and test/differential/indexes.test.ts is about them alone. */
export const indexedCases: ReadonlyArray<ModelCase> = [ladderCase, leagueCase, scatterCase]

export const modelCases: ReadonlyArray<ModelCase> = [
  heroCase,
  cartCase,
  dayCase,
  noteCase,
  vaultCase,
  guildCase,
  realmCase,
  ladderCase,
  leagueCase,
  scatterCase
]

/** The programs on whole entities, the same for every model. */
export const entityCalls = (self: ModelCase): ReadonlyArray<readonly [operation: string, call: Call<Target>]> => {
  const names = Object.keys((self.model as Model.Any & { readonly fields: object }).fields)
  return Object.entries(entity(self.entity, self.patch, names)).map(([name, call]) => [`model.${name}`, call] as const)
}

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
import { noteCase } from "./models/note.ts"
import { vaultCase } from "./models/vault.ts"

export const modelCases: ReadonlyArray<ModelCase> = [
  heroCase,
  cartCase,
  dayCase,
  noteCase,
  vaultCase,
  guildCase,
  realmCase
]

/** The programs on whole entities, the same for every model. */
export const entityCalls = (self: ModelCase): ReadonlyArray<readonly [operation: string, call: Call<Target>]> => {
  const names = Object.keys((self.model as Model.Any & { readonly fields: object }).fields)
  return Object.entries(entity(self.entity, self.patch, names)).map(([name, call]) => [`model.${name}`, call] as const)
}

/**
 * One increment in a larger model: it also has collections, an index, and a time to live that every access renews. The contender is the
 * plain `HINCRBY` of the small model.
 */
import { Schema } from "effect"
import { Model } from "redlayer"
import { compare } from "./harness/compare.ts"
import { countingIn, entityOf, filling, firstOf, idOf, plainKey, withPlainHashes } from "./harness/entities.ts"
import { perSecond } from "./harness/measures.ts"
import { fibers, promises } from "./harness/work.ts"

class Player extends Model.Class<Player>("Player")({
  id: Schema.String,
  name: Schema.String,
  role: Schema.Literals(["admin", "member"]),
  active: Schema.Boolean,
  rating: Schema.Finite,
  n: Schema.Int.pipe(Model.indexed),
  visits: Schema.Int,
  likes: Schema.Int,
  posts: Schema.Int,
  achievements: Schema.Array(Schema.String),
  friends: Schema.ReadonlySet(Schema.String),
  metadata: Schema.Record(Schema.String, Schema.String)
}, { key: "id", slot: "id", timeToLive: { duration: "30 days", refresh: "access" } }) {}

const fill = filling((id) =>
  Player.insert({
    ...entityOf(id),
    achievements: ["first", "second", "third"],
    friends: new Set(["alice", "bob", "carol"]),
    metadata: { country: "CH", language: "de", theme: "dark" }
  })
)

export const rows = [
  compare({
    module: import.meta.url,
    name: "headline-model",
    contender: "ioredis HINCRBY",
    target: undefined,
    ...perSecond,
    ours: fibers({
      loops: 500,
      operations: (loop) => {
        let at = firstOf(loop)
        return () => Player.ref(idOf(at++)).n.increment()
      }
    }),
    theirs: promises({
      loops: 500,
      operations: (redis, loop) => {
        let at = firstOf(loop)
        return () => redis.hincrby(plainKey(idOf(at++)), "n", 1)
      }
    }),
    prepare: withPlainHashes(countingIn(fill, (id) => `Player:{${id}}`))("n")
  })
]

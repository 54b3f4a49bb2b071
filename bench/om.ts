/**
 * Whole entities, compared with redis-om on hashes, which need no server module. Each row uses the version of node-redis on
 * which it is faster: `save` the newest one, `fetch` the older one that redis-om depends on. Both versions pipeline the commands
 * of one tick.
 */
import { createClient } from "redis"
import { Client, Repository, Schema } from "redis-om"
import { compare } from "./harness/compare.ts"
import { Counter, countingOurs, entityCount, entityOf, firstOf, idOf, inserting } from "./harness/entities.ts"
import { perSecond } from "./harness/measures.ts"
import { fibers, promisesOn } from "./harness/work.ts"

const schema = new Schema("Om", {
  name: { type: "string" },
  role: { type: "string" },
  active: { type: "boolean" },
  rating: { type: "number" },
  n: { type: "number" },
  visits: { type: "number" },
  likes: { type: "number" },
  posts: { type: "number" }
}, { dataStructure: "HASH" })

type Stored = Omit<ReturnType<typeof entityOf>, "id">
type Om = Repository<Stored>

const storedOf = (id: string): Stored => {
  const { id: _, ...stored } = entityOf(id)
  return stored
}

const onNewest = async (url: string) => {
  const redis = createClient({ url })
  await redis.connect()
  // redis-om has the types of the older node-redis
  const client = new Repository(schema, redis as never) as unknown as Om
  return { client, close: () => redis.destroy() }
}

const onOwn = async (url: string) => {
  const opened = await new Client().open(url)
  return { client: opened.fetchRepository(schema) as unknown as Om, close: () => opened.close() }
}

const filled = (connect: typeof onNewest | typeof onOwn) => async (url: string) => {
  const connected = await connect(url)
  await Promise.all(
    Array.from({ length: entityCount }, (_, index) => connected.client.save(idOf(index), storedOf(idOf(index))))
  )
  return connected
}

const expect = (holds: boolean): void => {
  if (!holds) throw new Error("an entity differs from what was stored")
}

export const rows = [
  compare({
    module: import.meta.url,
    name: "get-om",
    contender: "redis-om fetch",
    target: 3,
    ...perSecond,
    ours: fibers({
      loops: 500,
      operations: (loop) => {
        let at = firstOf(loop)
        return () => Counter.get(idOf(at++))
      },
      check: (found) => expect(found instanceof Counter && found.rating === 4.5 && found.active && found.posts === 0)
    }),
    theirs: promisesOn(filled(onOwn), {
      loops: 500,
      operations: (repository, loop) => {
        let at = firstOf(loop)
        return () => repository.fetch(idOf(at++))
      },
      check: (found) => expect(found.rating === 4.5 && found.active && found.posts === 0)
    }),
    prepare: async (redis, url) => {
      const check = await countingOurs("n")(redis, url)
      return ({ theirs }) => check({ ours: 0, theirs })
    }
  }),
  compare({
    module: import.meta.url,
    name: "insert-om",
    contender: "redis-om save",
    target: 1.5,
    ...perSecond,
    ours: fibers({
      loops: 500,
      operations: (loop) => {
        let at = 0
        return () => Counter.insert(entityOf(`${loop}-${at++}`))
      },
      check: (stored) => expect(stored instanceof Counter)
    }),
    theirs: promisesOn(onNewest, {
      loops: 500,
      operations: (repository, loop) => {
        let at = 0
        return () => {
          const id = `${loop}-${at++}`
          return repository.save(id, storedOf(id))
        }
      }
    }),
    ...inserting
  }),
  compare({
    module: import.meta.url,
    name: "read-modify-write",
    contender: "redis-om",
    target: 6,
    ...perSecond,
    ours: fibers({
      loops: 500,
      operations: (loop) => {
        let at = firstOf(loop)
        return () => Counter.ref(idOf(at++)).n.increment()
      }
    }),
    // redis-om loses concurrent updates, so only the count of redlayer can be checked
    theirs: promisesOn(filled(onNewest), {
      loops: 500,
      operations: (repository, loop) => {
        let at = firstOf(loop)
        return async () => {
          const entity = await repository.fetch(idOf(at++))
          return repository.save({ ...entity, n: entity.n + 1 })
        }
      },
      check: (stored) => expect(stored.n > 0)
    }),
    prepare: countingOurs("n")
  })
]

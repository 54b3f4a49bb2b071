/**
 * One program on a store. What is stored is changed in place, each change journalled. What is made anew, what is deleted and
 * when what expires is only noted, and stored when all has succeeded.
 */
import { type EntitySpec, type FieldSpec, isEntitySpec, type Spec } from "../program/instruction.ts"
import { refuse } from "./stop.ts"
import { type Entry, entryOf, type Hash, sizeOf, type Store } from "./store.ts"

/** @internal */
export interface Entity {
  readonly key: string
  hash: Hash
  /** before the program */
  readonly stored: boolean
  exists: boolean
  /** at which instruction it was written last */
  written: number | undefined
  /** as the program leaves it */
  expiresAt: number | undefined
  /** the collections that have been given that expiry, and the hash with them */
  expiring: Set<string> | undefined
}

/** @internal */
export interface Collection {
  readonly key: string
  readonly entity: Entity
  entry: Entry
  /** before the program */
  readonly stored: boolean
}

const maximumVersion = 2n ** 63n - 1n

/** A stored version grows by one with each program that writes; one stored by hand has none, which counts as 0. */
const nextVersion = (stored = "0"): string => {
  if (!/^(0|-?[1-9]\d*)$/.test(stored)) return refuse("type")
  const version = BigInt(stored)
  return version >= -maximumVersion - 1n && version < maximumVersion ? String(version + 1n) : refuse("type")
}

const tagOf = (spec: FieldSpec): Entry["_tag"] => {
  const kind = spec.of ?? spec.k
  return kind === "list" || kind === "set" || kind === "zset" ? kind : "hash"
}

/** @internal */
export class Run {
  readonly store: Store
  /** in microseconds */
  readonly now: number
  step = 0
  readonly messages: Array<readonly [channel: string, text: string]> = []
  readonly entities = new Map<string, Entity>()
  readonly collections = new Map<string, Collection>()
  readonly journal: Array<() => void> = []

  constructor(store: Store, now: number) {
    this.store = store
    this.now = now
  }

  /** in whole milliseconds */
  get millis(): number {
    return Math.floor(this.now / 1000)
  }

  look(key: string): Entry | undefined {
    return this.store.get(key, this.now / 1000)
  }

  entity(key: string, other?: boolean): Entity {
    let entity = this.entities.get(key)
    if (entity === undefined) {
      const entry = this.look(key)
      if (entry !== undefined && entry._tag !== "hash") return refuse("type", other)
      entity = {
        key,
        hash: entry ?? noHash,
        stored: entry !== undefined,
        exists: entry !== undefined,
        written: undefined,
        expiresAt: entry?.expiresAt,
        expiring: undefined
      }
      this.entities.set(key, entity)
    }
    return entity
  }

  collection(entity: Entity, spec: FieldSpec, other?: boolean): Collection {
    const key = `${entity.key}:${spec.f}`
    const tag = tagOf(spec)
    let collection = this.collections.get(key)
    if (collection === undefined) {
      const entry = this.look(key)
      collection = { key, entity, entry: entry ?? entryOf(tag, [], undefined), stored: entry !== undefined }
      this.collections.set(key, collection)
    }
    return collection.entry._tag === tag ? collection : refuse("type", other)
  }

  /** Before the first change: the version grows, or says that it is none. */
  touch(entity: Entity): void {
    const isFirst = entity.written === undefined
    if (isFirst && !entity.stored) {
      this.store.lastVersion = Math.max(this.now, this.store.lastVersion + 1)
      entity.hash = { _tag: "hash", fields: new Map([["$v", String(this.store.lastVersion)]]), expiresAt: undefined }
    } else if (isFirst) {
      const version = nextVersion(entity.hash.fields.get("$v"))
      this.setField(entity.hash, "$v", version)
      // no later incarnation has it again, though no time passes; one that was stored by hand may be beyond all of them
      if (Number.isSafeInteger(Number(version))) {
        this.store.lastVersion = Math.max(this.store.lastVersion, Number(version))
      }
    }
    entity.written = this.step
  }

  /** In place of all that an entity has. One that is not there begins, and lives as long as it is told. */
  write(entity: Entity, spec: EntitySpec, fields: Map<string, string>, life: number | false): void {
    this.touch(entity)
    const version = entity.hash.fields.get("$v")!
    entity.hash = { _tag: "hash", fields: fields.set("$v", version), expiresAt: undefined }
    if (entity.exists) return
    entity.exists = true
    this.expire(entity, spec, life === false ? undefined : this.millis + life)
  }

  replace(collection: Collection, texts: ReadonlyArray<string>): void {
    const { _tag, expiresAt } = collection.entry
    this.touch(collection.entity)
    collection.entry = entryOf(_tag, texts, expiresAt)
  }

  /** An entity and its collections expire at one time. */
  expire(entity: Entity, spec: Spec, at: number | undefined): void {
    const names = entity.expiring ??= new Set()
    for (const { f } of isEntitySpec(spec) ? spec.cs : []) names.add(f)
    for (const name of spec.life?.cs ?? []) names.add(name)
    entity.expiresAt = at
  }

  /** After an instruction that was asked to: what has no expiry keeps none. */
  renew(entity: Entity, spec: Spec): void {
    const { life } = spec
    if (life === undefined || entity.expiresAt === undefined || !(life.access || entity.written === this.step)) return
    const at = this.millis + life.ms
    if (at - entity.expiresAt > life.slack) this.expire(entity, spec, at)
  }

  setField({ fields }: Hash, name: string, text: string | false): void {
    const before = fields.get(name) ?? false
    put(fields, name, text)
    this.journal.push(() => put(fields, name, before))
  }

  undo(): void {
    for (let i = this.journal.length - 1; i >= 0; i--) this.journal[i]!()
  }

  commit(): void {
    const { entries } = this.store
    for (const { exists, expiresAt, hash, key } of this.entities.values()) {
      if (exists) {
        hash.expiresAt = expiresAt
        entries.set(key, hash)
      } else {
        entries.delete(key)
      }
    }
    for (const { entity, entry, key, stored } of this.collections.values()) {
      if (sizeOf(entry) === 0) {
        entries.delete(key)
        continue
      }
      entries.set(key, entry)
      if (!stored) entry.expiresAt = entity.expiresAt
    }
    for (const { exists, expiresAt, expiring, key } of this.entities.values()) {
      if (!exists || expiring === undefined) continue
      for (const name of expiring) {
        const entry = this.look(`${key}:${name}`)
        if (entry !== undefined) entry.expiresAt = expiresAt
      }
    }
  }
}

const put = (fields: Map<string, string>, name: string, text: string | false): void => {
  if (text === false) fields.delete(name)
  else fields.set(name, text)
}

/** of what is not there: never written to */
const noHash: Hash = { _tag: "hash", fields: new Map(), expiresAt: undefined }

/**
 * Runs programs on a store: the same instructions as the server's interpreter, one program wholly or not at all.
 */
import {
  type Argument,
  type EntitySpec,
  type Failure,
  type FieldSpec,
  type Instruction,
  isEntitySpec,
  Op,
  type Program,
  type Reply,
  type Result
} from "../program/instruction.ts"
import { apply, sized, Stop, stop } from "./cell.ts"
import type { Hash, List, Store } from "./store.ts"

/** An entity within a program: read where needed, and written when all has succeeded. */
interface Entity {
  readonly key: string
  readonly hash: Hash | undefined
  fields: Map<string, string>
  exists: boolean
  /** as the program leaves it */
  version: string | undefined
  changed: boolean
}

const maximumVersion = 2n ** 63n - 1n

/** A stored version grows by one with each program that writes; one stored by hand has none, which counts as 0. */
const nextVersion = (stored = "0"): string => {
  if (!/^(0|-?[1-9]\d*)$/.test(stored)) return stop({ _tag: "type" })
  const version = BigInt(stored)
  return version >= -maximumVersion - 1n && version < maximumVersion ? String(version + 1n) : stop({ _tag: "type" })
}

class Run {
  readonly store: Store
  /** in microseconds */
  readonly now: number
  readonly entities = new Map<string, Entity>()
  readonly lists = new Map<string, List>()
  readonly journal: Array<() => void> = []

  constructor(store: Store, now: number) {
    this.store = store
    this.now = now
  }

  entry(key: string) {
    return this.store.get(key, this.now / 1000)
  }

  entity(key: string): Entity {
    let entity = this.entities.get(key)
    if (entity === undefined) {
      const entry = this.entry(key)
      if (entry !== undefined && entry._tag !== "hash") return stop({ _tag: "type" })
      const version = entry?.fields.get("$v")
      const fields = new Map(entry?.fields)
      fields.delete("$v")
      entity = { key, hash: entry, fields, exists: entry !== undefined, version, changed: false }
      this.entities.set(key, entity)
    }
    return entity
  }

  /** Before the first change: the version grows, or says that it is none. */
  touch(entity: Entity): void {
    if (entity.changed) return
    entity.version = entity.hash === undefined
      ? String(Math.max(this.now, this.store.lastVersion + 1))
      : nextVersion(entity.version)
    entity.changed = true
  }

  list(entity: Entity, spec: FieldSpec): List {
    const key = `${entity.key}:${spec.f}`
    let list = this.lists.get(key)
    if (list === undefined) {
      const entry = this.entry(key)
      if (entry !== undefined && entry._tag !== "list") return stop({ _tag: "type" })
      list = entry ?? { _tag: "list", items: [], expiresAt: undefined }
      this.lists.set(key, list)
    }
    return list
  }

  /** Replaces some items, and remembers how to take it back. */
  splice(list: List, at: number, count: number, items: ReadonlyArray<string>): void {
    const gone = count === 0 ? [] : list.items.splice(at, count)
    insertAt(list.items, at, items)
    this.journal.push(() => {
      list.items.splice(at, items.length)
      insertAt(list.items, at, gone)
    })
  }

  cell(entity: Entity, { args, op, spec }: Instruction): Result {
    const field = spec as FieldSpec
    if (field.at === true) {
      const list = this.list(entity, field)
      const given = args[0] as number
      const index = given < 0 ? given + list.items.length : given
      if (index < 0 || index >= list.items.length) return stop({ _tag: "index" })
      const [text, result] = apply(op, list.items[index], field, args.slice(1))
      if (typeof text === "string") {
        this.touch(entity)
        this.splice(list, index, 1, [text])
      }
      return result
    }
    const [text, result] = apply(op, entity.fields.get(field.f), field, args)
    if (text === undefined) return result
    this.touch(entity)
    if (text === false) entity.fields.delete(field.f)
    else entity.fields.set(field.f, text)
    return result
  }

  onList(entity: Entity, { args, op, spec }: Instruction): Result {
    const field = spec as FieldSpec
    const list = this.list(entity, field)
    const length = list.items.length
    switch (op) {
      case Op.append: {
        const [keep, ...items] = args as [number, ...Array<string>]
        if (items.length === 0) return length
        const total = length + items.length
        const after = sized(keep > 0 && total > keep ? keep : total, field)
        this.touch(entity)
        const kept = items.slice(Math.max(0, items.length - after))
        this.splice(list, length, 0, kept)
        this.splice(list, 0, length + kept.length - after, [])
        return after
      }
      case Op.prepend:
        if (args.length === 0) return length
        sized(length + args.length, field)
        this.touch(entity)
        this.splice(list, 0, 0, args as ReadonlyArray<string>)
        return list.items.length
      case Op.length:
        return length
      case Op.slice:
        return list.items.slice(args[0] as number, args[1] as number)
      case Op.clearList:
        if (length > 0) this.replaceList(entity, list, [])
        return 1
      case Op.setList:
        this.replaceList(entity, list, args as ReadonlyArray<string>)
        return 1
    }
    if (length === 0) return false
    sized(length - 1, field)
    this.touch(entity)
    const at = op === Op.shift ? 0 : length - 1
    const item = list.items[at]!
    this.splice(list, at, 1, [])
    return item
  }

  replaceList(entity: Entity, list: List, items: ReadonlyArray<string>): void {
    this.touch(entity)
    this.splice(list, 0, list.items.length, items)
  }

  read(entity: Entity, spec: EntitySpec): Result {
    return [
      entity.version ?? false,
      ...spec.fs.map((name) => entity.fields.get(name) ?? false),
      ...spec.cs.map((collection) => [...this.list(entity, collection).items])
    ]
  }

  write(entity: Entity, spec: EntitySpec, args: ReadonlyArray<Argument>): Result {
    this.touch(entity)
    entity.fields = new Map()
    entity.exists = true
    spec.fs.forEach((name, i) => {
      const text = args[i]
      if (typeof text === "string") entity.fields.set(name, text)
    })
    let at = spec.fs.length
    for (const collection of spec.cs) {
      const count = args[at] as number
      this.replaceList(entity, this.list(entity, collection), args.slice(at + 1, at + 1 + count) as Array<string>)
      at += 1 + count
    }
    return 1
  }

  remove(entity: Entity, spec: EntitySpec): Result {
    if (!entity.exists) return 0
    this.touch(entity)
    entity.fields = new Map()
    entity.exists = false
    for (const collection of spec.cs) this.replaceList(entity, this.list(entity, collection), [])
    return 1
  }

  instruct(instruction: Instruction): Result {
    const { args, op, spec } = instruction
    if (op === Op.fail) return stop({ _tag: "fail", index: args[0] })
    const entity = this.entity(instruction.key)
    if (isEntitySpec(spec)) {
      switch (op) {
        case Op.exists:
          return entity.exists ? 1 : 0
        case Op.find:
          return entity.exists && this.read(entity, spec)
        case Op.put:
          return this.write(entity, spec, args)
        case Op.delete:
          return this.remove(entity, spec)
        case Op.insert:
          return entity.exists ? stop({ _tag: "exists" }) : this.write(entity, spec, args)
      }
      if (!entity.exists) return stop({ _tag: "missing" })
      return op === Op.read ? this.read(entity, spec) : 1
    }
    if (!entity.exists) return stop({ _tag: "missing" })
    return op < Op.append ? this.cell(entity, instruction) : this.onList(entity, instruction)
  }

  commit(): void {
    const { entries } = this.store
    for (const { changed, exists, fields, hash, key, version } of this.entities.values()) {
      if (!changed) continue
      if (!exists) {
        entries.delete(key)
        continue
      }
      if (hash === undefined) this.store.lastVersion = Math.max(this.store.lastVersion, Number(version))
      entries.set(key, { _tag: "hash", fields: fields.set("$v", version!), expiresAt: hash?.expiresAt })
    }
    for (const [key, list] of this.lists) {
      if (list.items.length > 0) entries.set(key, list)
      else entries.delete(key)
    }
  }
}

/** Not by spread: a call takes only so many arguments. */
const insertAt = (items: Array<string>, at: number, added: ReadonlyArray<string>): void => {
  if (at === items.length) {
    for (const item of added) items.push(item)
  } else if (added.length < 1000) {
    items.splice(at, 0, ...added)
  } else {
    const tail = items.splice(at)
    for (const item of added) items.push(item)
    for (const item of tail) items.push(item)
  }
}

/**
 * @param now microseconds
 * @internal
 */
export const interpret = (store: Store, program: Program, now: number): Reply => {
  const run = new Run(store, now)
  const results: Array<Result> = []
  const { instructions } = program
  let step = 0
  try {
    for (; step < instructions.length; step++) results.push(run.instruct(instructions[step]!))
    run.commit()
    return { _tag: "done", results }
  } catch (error) {
    for (let i = run.journal.length - 1; i >= 0; i--) run.journal[i]!()
    if (error instanceof Stop) return { _tag: "failed", failure: { ...error.failure, step } as Failure }
    throw error
  }
}

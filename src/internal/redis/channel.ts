/**
 * The channels of a layer on its server. Channels have no database, so the channel of a database other than 0 has its number after
 * the first colon: `$topic:5:posted`. No name of a topic has a colon there, because names are escaped.
 */
import { usesQueue } from "../instruction/keys.ts"
import { Op } from "../instruction/ops.ts"
import type { Program } from "../instruction/program.ts"

/** @internal */
export interface ChannelNames {
  readonly keyPrefix: string
  /** The number of the database. Undefined: 0. */
  readonly database?: number | undefined
}

/** @internal */
export const channelName = ({ database = 0, keyPrefix }: ChannelNames, channel: string): string =>
  keyPrefix + (database === 0 ? channel : channel.replace(":", `:${database}:`))

/**
 * A channel that a program publishes to.
 *
 * @internal
 */
export const channelOf = ({ instructions }: Program, names: ChannelNames): string | undefined => {
  const found = instructions.find(({ args, op }) => op === Op.publish || usesQueue(op) && args[0] !== "")
  return found && channelName(names, String(found.args[0]))
}

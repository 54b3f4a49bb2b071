/**
 * A season: the games, the transfers, and the totals that they must add up to.
 */
import type { Player } from "../../examples/leaderboard/model.ts"

export const names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"] as const

/** The initial coins of every player. */
export const coins = 50

interface Pair {
  readonly first: string
  readonly second: string
  readonly amount: number
}

/** Pseudo-random pairs of different players, with amounts from 1 to `most`. Every run returns the same pairs. */
const pairs = (count: number, most: number): Array<Pair> => {
  let state = most
  const next = (below: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
  return Array.from({ length: count }, () => {
    const first = next(names.length)
    const second = (first + 1 + next(names.length - 1)) % names.length
    return { first: names[first]!, second: names[second]!, amount: 1 + next(most) }
  })
}

/** In a game, the first player of the pair wins `amount` points, and the second loses them. */
export const games = pairs(5000, 30)

/** In a transfer, the first player of the pair hands over `amount` coins, if that player has them. */
export const transfers = pairs(5000, 20)

const sum = (amounts: ReadonlyArray<number>): number => amounts.reduce((total, amount) => total + amount, 0)

const earned = (player: Player): ReadonlyArray<string> => {
  const { longestStreak, wins } = player.statistics
  return [
    ...(wins >= 1 ? ["first win"] : []),
    ...(wins >= 10 ? ["ten wins"] : []),
    ...(longestStreak >= 5 ? ["five in a row"] : [])
  ]
}

/** The differences from the expected result, which does not depend on the order of the games. */
export const mistakes = (
  players: ReadonlyArray<Player>,
  handedOver: ReadonlyArray<Pair>,
  given: ReadonlyMap<string, ReadonlyArray<string>>
): ReadonlyArray<string> =>
  players.flatMap((player) => {
    const { achievements, items, metadata, name, score, statistics } = player
    const won = games.filter(({ first }) => first === name)
    const lost = games.filter(({ second }) => second === name)
    const amounts = (pairs: ReadonlyArray<Pair>) => sum(pairs.map(({ amount }) => amount))
    const received = amounts(handedOver.filter(({ second }) => second === name))
    const spent = amounts(handedOver.filter(({ first }) => first === name))
    const facts: ReadonlyArray<readonly [what: string, holds: boolean]> = [
      ["the score", score === amounts(won) - amounts(lost)],
      ["the wins", statistics.wins === won.length],
      ["the losses", statistics.losses === lost.length],
      ["the games", statistics.games === won.length + lost.length],
      ["the average", statistics.average === score / statistics.games],
      ["the coins", items.coins === coins + received - spent && items.coins >= 0],
      [
        "an achievement that was earned",
        earned(player).every((one) => (achievements as ReadonlyArray<string>).includes(one))
      ],
      ["an achievement given twice", new Set(achievements).size === achievements.length],
      [
        "the reported achievements",
        `${[...achievements].sort()}` === `${[...given.get(name) ?? []].sort()}`
      ],
      ["the last result", metadata["last result"] === (statistics.streak > 0 ? "win" : "loss")]
    ]
    return facts.filter(([, holds]) => !holds).map(([what]) => `${what} of ${name}`)
  })

/**
 * A child process that takes the turns of one contender of one row. In separate processes contenders share neither a heap nor
 * compiled code, and the processor time of each can be measured.
 *
 * Arguments: the module of the row, its name, its contender, the side, and the URL of the server.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Comparison, Side } from "./compare.ts"
import type { Answer, Sample } from "./protocol.ts"
import { median } from "./row.ts"
import type { Slice } from "./work.ts"

const [module, name, contender, side, url] = process.argv.slice(2) as [
  string,
  string,
  string,
  Side,
  string
]

class Turn implements Slice {
  over = false
  readonly millis: number
  readonly latencies: Array<number> = []
  constructor(millis: number) {
    this.millis = millis
  }
  record = (millis: number): void => {
    this.latencies.push(millis)
  }
}

const send = (answer: Answer): void => {
  process.send!(answer)
}

const main = async (): Promise<void> => {
  const { rows }: { readonly rows: ReadonlyArray<Comparison> } = await import(module)
  const row = rows.find((row) => row.name === name && row.contender === contender)!
  const contestant = await row.works[side]!(url)

  const take = async (millis: number): Promise<Sample> => {
    const turn = new Turn(millis)
    // no garbage collection is forced here, because V8 would drop compiled code with it
    const cpu = process.cpuUsage()
    const start = performance.now()
    const end = sleep(millis).then(() => {
      turn.over = true
    })
    const worked = await contestant.turn(turn)
    const seconds = (performance.now() - start) / 1000
    const { system, user } = process.cpuUsage(cpu)
    await end
    const sample = { seconds, cpu: system + user, latency: median(turn.latencies) * 1000 }
    return typeof worked === "number" ? { ...sample, operations: worked } : { ...sample, ...worked }
  }

  process.on("message", (millis: number) => {
    take(millis).then((sample) => send({ sample }), fail)
  })
  send({})
}

const fail = (error: unknown): void => {
  send({ error: error instanceof Error ? error.stack ?? error.message : String(error) })
}

// the parent process has exited, or needs this worker no longer
process.on("disconnect", () => process.exit())
main().catch(fail)

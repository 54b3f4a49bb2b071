/**
 * All rows. Each module beside this one exports a family of them as `rows`. Those of `apart` are in no page and no run of all rows: `--only`
 * runs them.
 */
import * as bulk from "./bulk.ts"
import * as call from "./call.ts"
import * as clients from "./clients.ts"
import * as cluster from "./cluster.ts"
import * as effectStores from "./effectStores.ts"
import * as get from "./get.ts"
import * as growth from "./growth.ts"
import * as growthIndex from "./growthIndex.ts"
import * as growthProgram from "./growthProgram.ts"
import type { Row } from "./harness/row.ts"
import * as headline from "./headline.ts"
import * as increment from "./increment.ts"
import * as indexes from "./indexes.ts"
import * as lock from "./lock.ts"
import * as memory from "./memory.ts"
import * as om from "./om.ts"
import * as packaged from "./package.ts"
import * as program from "./program.ts"
import * as server from "./server.ts"
import * as stock from "./stock.ts"
import * as transaction from "./transaction.ts"
import * as types from "./types.ts"

export const rows: ReadonlyArray<Row> = [
  ...increment.rows,
  ...server.rows,
  ...clients.rows,
  ...cluster.rows,
  ...call.rows,
  ...transaction.rows,
  ...program.rows,
  ...stock.rows,
  ...lock.rows,
  ...get.rows,
  ...om.rows,
  ...bulk.rows,
  ...indexes.rows,
  ...growth.rows,
  ...growthIndex.rows,
  ...growthProgram.rows,
  ...headline.rows,
  ...memory.rows,
  ...packaged.rows,
  ...types.rows
]

export const apart: ReadonlyArray<Row> = effectStores.rows

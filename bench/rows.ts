/**
 * Every row, family by family. A family is a module that exports its `rows`.
 */
import * as call from "./call.ts"
import * as get from "./get.ts"
import type { Row } from "./harness/row.ts"
import * as increment from "./increment.ts"
import * as transaction from "./transaction.ts"

export const rows: ReadonlyArray<Row> = [...increment.rows, ...call.rows, ...transaction.rows, ...get.rows]

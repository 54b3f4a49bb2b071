/**
 * Short names of the errors, for the statements about types.
 */
import type { DomainError, RedisServiceError } from "redlayer"

export type NotFound = DomainError.EntityNotFound
export type Exists = DomainError.EntityExists
export type Invalid = DomainError.InvalidValue
export type Bounds = DomainError.OutOfBounds
export type Arithmetic = DomainError.ArithmeticError
export type Index = DomainError.IndexOutOfRange
export type Corrupted = DomainError.EntityCorrupted
export type Failed = RedisServiceError.RedisServiceError

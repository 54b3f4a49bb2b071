/**
 * The typed, transactional Redis data layer for Effect.
 *
 * @stability unstable
 * @since 0.1.0
 */
export * as Atomic from "./Atomic.ts"
export * as Condition from "./Condition.ts"
export * as DomainError from "./DomainError.ts"
export * as EffectKeyValueStore from "./EffectKeyValueStore.ts"
export * as EffectPersistedQueue from "./EffectPersistedQueue.ts"
export * as EffectPersistence from "./EffectPersistence.ts"
export * as EffectRateLimiter from "./EffectRateLimiter.ts"
export * as EffectReactivity from "./EffectReactivity.ts"
export * as EffectRedis from "./EffectRedis.ts"
export * as Field from "./Field.ts"
export * as IoRedis from "./IoRedis.ts"
export * as Lock from "./Lock.ts"
export * as Model from "./Model.ts"
export * as Query from "./Query.ts"
export * as RedisService from "./RedisService.ts"
export * as RedisServiceError from "./RedisServiceError.ts"
export * as RedisTransport from "./RedisTransport.ts"
export * as RetryPolicy from "./RetryPolicy.ts"
export * as Topic from "./Topic.ts"

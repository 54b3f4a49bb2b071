/** The client's types, for programs of the playground: the memory layer has none. */
export interface Redis {}
export interface RedisOptions {}
export interface ClusterOptions {}

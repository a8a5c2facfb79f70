export * from './lists'
export * from './message'
export * from './quantities'

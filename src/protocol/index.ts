export * from './messages'
export * from './snapshot'

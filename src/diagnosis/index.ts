export type * from './verdict'

/** The schemas that the host checks messages and definitions with. Clients must not import it: it loads zod. */
export { initializationOptionsSchema } from './initialization'
export { requests } from './requests'
export * from './termination'
export * from './definition'
export * from './definitionProblem'
export * from './validateDefinition'
export { closest } from './closest'

/** The schemas by which the host checks what clients and tasks.json say. Clients must not import it: it loads zod. */
export { initializationOptionsSchema } from './initialization'
export { requests } from './requests'
export * from './termination'
export * from './definition'
export * from './definitionProblem'
export * from './validateDefinition'
export { closest } from './closest'

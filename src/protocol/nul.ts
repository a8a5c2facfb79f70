import * as z from 'zod'

const problem = 'holds a NUL character'

/** Text without NUL: no environment and no command line can carry one, and the system would refuse every start. */
export const withoutNul = z.string().refine((text) => !text.includes('\0'), problem)

/** Variables of an environment, by name. */
export const environmentSchema = z
  .record(z.string(), z.string())
  .refine((env) => !Object.entries(env).some(([name, value]) => name.includes('\0') || value.includes('\0')), problem)

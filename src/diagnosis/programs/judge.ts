import type { ProgramPoolFacts, ProgramRule, ProgramVerdict } from '../program-facts'

const rules: readonly ProgramRule[] = []

/** What the facts of a program's pool amount to, the gravest verdict first; empty when all is well. */
export function judgeProgramPool(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return rules.flatMap((rule) => rule(facts))
}

import { describe, expect, test } from 'vitest'
import { everyTrapLeaves } from '../../../src/shutdown/shellTrap'

describe('the text of a shell shows that its trap leaves the shell', () => {
  test.each([
    ['trap "exit 0" TERM; sleep 1000'],
    ["trap 'rm -f lock; exit 1' INT TERM"],
    ["trap -- 'exit' SIGTERM"],
    ['trap "exit 143" 15'],
    ['cleanup() {\n  rm -rf "$tmp"\n  exit 1\n}\ntrap cleanup EXIT TERM\nsleep 1000'],
    ['leave() { rm -f lock; exit 1; }\ntrap leave TERM'],
    ['command -v git; trap "exit 0" TERM; command sleep 1000'],
    ['function leave {\n  exit 2 # gone\n}\ntrap leave TERM'],
  ])('%j', (text) => {
    expect(everyTrapLeaves(text, 'SIGTERM')).toBe(true)
  })
})

describe('nothing is taken for sure of a trap', () => {
  test.each([
    ['that only notes the signal', "trap 'echo stopping' TERM"],
    ['whose exit depends on something', "trap '[ -e done ] && exit 0' TERM"],
    ['that calls a function which goes on', 'note() {\n  exit_code=1\n}\ntrap note TERM'],
    ['that calls a function from elsewhere', '. ./common.sh\ntrap cleanup TERM'],
    ['for another signal', 'trap "exit 0" INT'],
    ['of which one of two goes on', "trap 'exit 0' TERM\ntrap 'stop=1' TERM"],
    ['where there is none', 'sleep 1000; exit 0'],
    ['that another one replaces', 'trap "exit 1" TERM; trap : TERM; sleep 1000'],
    ['that a file may replace', 'trap "exit 1" TERM; . ./traps.sh; sleep 1000'],
    ['that is made when it runs', 'trap "exit 1" TERM; eval "$MORE"; sleep 1000'],
    ['whose words are made when it runs', 'trap "exit $code" $signals TERM'],
    ['that is set back', 'trap "exit 1" TERM; trap - TERM; sleep 1000'],
    ['that leaves a subshell', "trap '(exit 1)' TERM"],
    ['whose function may return before', 'stop() { test -e lock || return; exit 1; }\ntrap stop TERM'],
    ['whose function is defined twice', 'stop() { exit 1; }\nstop() { :; }\ntrap stop TERM'],
    ['of a script that cannot be parsed', 'trap "exit 1" TERM; if'],
    ['that is set by a detour', 'trap "exit 1" TERM; builtin trap : TERM'],
    ['that is only printed', 'echo trap "exit 0" TERM'],
    ['that stands in a comment', '# trap "exit 0" TERM'],
    ['of a variable with such a name', '$trap "exit 0" TERM; my-trap "exit 0" TERM'],
  ])('%s', (_, text) => {
    expect(everyTrapLeaves(text, 'SIGTERM')).toBe(false)
  })
})

import { describe, expect, it } from 'vitest'
import { secondReadings } from '../../../src/runtimes/command/secondReading'

const argument = (command: readonly string[]) =>
  secondReadings(command).map(({ index, reader }) => `${reader} ${index}`)
const advice = (command: string | readonly string[]): string | undefined => secondReadings(command)[0]?.advice

describe('an item that is read as code', () => {
  it.each([
    "sh -c 'echo ${item}'",
    '/bin/bash -c "echo ${item}"',
    'dash -euxc ${item}',
    'zsh -c "x${item}"',
    'ksh -o pipefail -c "${item}"',
    'fish --command="f ${item}"',
    'busybox sh -c "f ${item}"',
    '$SHELL -c "f ${item}"',
    'eval "f ${item}"',
    'eval f ${item}',
    "trap 'rm ${item}' EXIT",
    'command eval ${item}',
    'env -i A=1 sh -c "f ${item}"',
    'sudo -u bob sh -c "f ${item}"',
    'nice -n 5 timeout -k 1 10 sh -c "f ${item}"',
    'echo a | xargs -n1 sh -c "f ${item}"',
    "find . -name '*.c' -exec sh -c 'f ${item}' \\;",
    'exec sh -c ${item}',
    'time sh -c "f ${item}"',
    'docker exec -i -u me box sh -c "f ${item}"',
    'docker run --rm -v /a:/b image sh -c "f ${item}"',
    'kubectl exec pod -- sh -c "f ${item}"',
    'ssh -p 22 host rm ${item}',
    'ssh host \'rm "${item}"\'',
    'watch -n 1 ls ${item}',
    'su -c "f ${item}" bob',
    'flock lock -c "f ${item}"',
    `python3.11 -Iuc 'print("\${item}")'`,
    'python -W ignore -c "f(${item})"',
    'python3.13t -c "f(${item})"',
    'python3-dbg -c "f(${item})"',
    'python --check-hash-based-pycs always -c "f(${item})"',
    'uv run --with rich python -c "f(${item})"',
    'poetry run sh -c "f ${item}"',
    'conda run -n env node -e "f(${item})"',
    'node --title worker -e "f(${item})"',
    'sudo -nu bob sh -c "f ${item}"',
    'strace -fe open sh -c "f ${item}"',
    'node -e "f(${item})"',
    'node -r ./x --eval="f(${item})"',
    'node -pe "${item}"',
    'deno eval "f(${item})"',
    "perl -ne 'print ${item}'",
    "perl -e'${item}'",
    "ruby -ruri -e 'p ${item}'",
    "awk -F: '/${item}/' file",
    "php -r 'f(${item});'",
    'for i in 1 2; do (cd x && f "$(sh -c "g ${item}")"); done',
    'f() { eval "g ${item}"; }; f',
    'a=`sh -c "f ${item}"` && if true; then sh -c "${item}"; fi',
    'bash <<END\necho ${item}\nEND',
    'bash -s <<< "f ${item}"',
    'echo "rm ${item}" | sudo sh',
    'printf "f(%s)" ${item} | python3 -',
    'if [[ ${item} -eq 1 ]]; then f; fi',
    '[[ -n $a && ( ! 3 -lt "${item}" ) ]]',
    '[[ -v ${item} ]] && f',
    'while [ -v ${item} ]; do f; done',
    'let x=${item}+1',
    'let "x = ${item}"',
    'declare -i x=${item}',
    'f() { local -ri x="${item}"; }; f',
    'printf -v ${item} x',
    'unset ${item}',
    "env -S 'sh -c' ${item}",
    "env -iS'sh -c' ${item}",
    'env -S "f ${item}"',
    'env --split-string="nice ${item}"',
  ])('is found: %s', (command) => {
    expect(secondReadings(command)).not.toEqual([])
  })

  it.each([
    `sh -c 'echo "$1"' sh \${item}`,
    'bash script.sh ${item}',
    'bash -x script.sh -c ${item}',
    'sh ${item}',
    "sh -c 'exit ${index}'",
    'bash --rcfile x y.sh ${item}',
    'echo "sh -c ${item}"',
    '# sh -c ${item}\ntrue',
    'sh -c "$(generate ${item})"',
    'sudo useradd -s /bin/bash -c ${item} name',
    'grep -e sh -c ${item}',
    'cc -c ${item}',
    'pytest -c ${item}',
    'env X=${item} sh -c \'f "$X"\'',
    `printf '%s\\0' \${item} | xargs -0 sh -c 'f "$@"' sh`,
    'ssh ${item} uptime',
    `find \${item} -exec sh -c 'f "$1"' sh {} \\;`,
    'python3 -m http.server -d ${item}',
    'python3 x.py -c ${item}',
    `python3 -c 'import sys; f(sys.argv[1])' \${item}`,
    'node x.js -e ${item}',
    `node -e 'f(process.argv[1])' -- \${item}`,
    'awk -v x=${item} "{ print x }" ${item}',
    'awk -f x.awk ${item}',
    'perl -Idir x.pl -e ${item}',
    'deno run x.ts eval ${item}',
    "bash <<'END'\necho $UNHANG_ITEM\nEND",
    'cat <<END | sort\n${item}\nEND',
    'sort <<< ${item}',
    'echo ${item} | bash script.sh',
    'echo \\${item}',
    'docker run image useradd -c ${item}',
    '[[ ${item} == 1 && $a -eq 1 ]]',
    '[[ -f ${item} ]]',
    '[ ${item} -eq 1 ]',
    'test -n ${item}',
    'declare x=${item}',
    'printf %s ${item}',
    'printf -v x %s ${item}',
    "env -S 'f -c' ${item}",
    'env -u S f ${item}',
    'env -i f -S ${item}',
    'watch -x ls ${item}',
    'trap - EXIT; f ${item}',
  ])('is no false alarm: %s', (command) => {
    expect(secondReadings(command)).toEqual([])
  })

  it('is found in the argument that holds it, where the command is an array', () => {
    expect(argument(['sh', '-c', 'echo ${item}'])).toEqual(['sh 2'])
    expect(argument(['env', 'A=${item}', 'python3', '-c', 'print("${item}")'])).toEqual(['python3 4'])
    expect(argument(['sh', '-c', 'echo "$1"', 'sh', '${item}'])).toEqual([])
    expect(argument(['bash', 'script.sh', '-c', '${item}'])).toEqual([])
    expect(argument(['env', '-S', 'bash -c', 'f ${item}'])).toEqual(['env 3'])
    expect(argument(['env', '-S', 'f ${item}'])).toEqual(['env 2'])
    expect(argument(['useradd', '-s', '/bin/bash', '-c', '${item}'])).toEqual([])
  })
})

describe('what to write instead', () => {
  it.each([
    ["sh -c 'echo ${item}'", `sh -c 'echo "$1"' sh \${item}`],
    ['bash -c "cp \'${item}\' out/${index}" >log', `bash -c 'cp "$1" out/\${index}' sh \${item} >log`],
    ['bash -ec "f ${item}10 $1" me you && true', undefined],
    ["bash -ec 'f ${item}10 $1' me you && true", `bash -ec 'f "$2"10 $1' me you \${item} && true`],
    ['sh -c ${item}', `sh -c 'eval "$1"' sh \${item}`],
    ['eval "f ${item}" && g', 'f ${item} && g'],
    [`python3 -c 'print("\${item}")'`, "python3 -c 'import sys; print(sys.argv[1])' ${item}"],
    [`python3 -c 'print("a \${item}")'`, undefined],
    [`node -e 'f("\${item}")' && g`, "node -e 'f(process.argv[1])' -- ${item} && g"],
  ])('for %s is the command itself where it can be rewritten', (command, safe) => {
    if (safe === undefined) expect(advice(command)).toMatch(/^Hand the item over as an argument: /)
    else expect(advice(command)).toBe(`Write ${safe}`)
  })
  it('is an array for an array', () => {
    expect(advice(['sudo', 'sh', '-c', 'f "${item}"'])).toBe(
      'Write ["sudo", "sh", "-c", "f \\"$1\\"", "sh", "${item}"]',
    )
    expect(advice(['perl', '-e', "f('${item}')"])).toBe('Write ["perl", "-e", "f($ARGV[0])", "--", "${item}"]')
  })
  it('is no half of a string literal', () => {
    expect(advice(['python3', '-c', `print("a='\${item}'")`])).toMatch(/^Hand the item over/)
  })
  it('has nothing more to be told', () => {
    for (const command of [
      "sh -c 'echo ${item}'",
      "bash -ec 'f ${item}10 $1' me you && true",
      'sh -c ${item}',
      'eval "f ${item}" && g',
      `python3 -c 'print("\${item}")'`,
    ]) {
      expect(secondReadings(advice(command)?.replace('Write ', '') ?? command)).toEqual([])
    }
  })
})

import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/**
 * The rooms of the house and what each may import (see src/README.md).
 * One table, so that the rule and the map cannot drift apart.
 */
const mayImport = {
  files: [],
  processes: [],
  diagnosis: ['processes'],
  runtimes: ['processes', 'files'],
  shutdown: ['processes', 'files'],
  core: ['diagnosis', 'shutdown', 'runtimes', 'processes', 'files'],
  protocol: [],
  host: ['protocol', 'core', 'diagnosis', 'shutdown', 'runtimes', 'processes', 'files'],
  cli: ['protocol', 'files'],
  extension: ['protocol'],
}
const rooms = Object.keys(mayImport)

const roomRules = rooms.map((room) => {
  const forbidden = rooms.filter((other) => other !== room && !mayImport[room].includes(other))
  const patterns = forbidden.map((other) => ({
    group: [`../${other}`, `../${other}/*`, `../../${other}`, `../../${other}/*`],
    message: `src/${room} may not import src/${other}: see the table in eslint.config.mjs.`,
  }))
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns,
          paths: room === 'extension' ? [] : [{ name: 'vscode', message: "Only src/extension may import 'vscode'." }],
        },
      ],
    },
  }
})

export default tseslint.config(
  { ignores: ['dist/**', 'test/.artifacts/**', 'test/fixtures/**', 'test/bench/results/**', 'test/bench/peers/**'] },
  js.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        URLSearchParams: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
        AbortSignal: 'readonly',
      },
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { process: 'readonly', require: 'readonly', __filename: 'readonly' },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Method shorthand and property style are both fine; this rule only churns interfaces.
      '@typescript-eslint/method-signature-style': 'off',
    },
  },
  {
    files: ['src/words/**/*.ts', 'src/extension/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.object.name='l10n'][callee.property.name='t'][arguments.0.type!='Literal']",
          message: 'l10n.t() needs a literal text: `npm run l10n` finds no other, so that it could not be translated.',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  ...roomRules,
)

import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/** Private members are #names: private when the code runs as well, and nothing that type stripping cannot erase. */
const privateKeyword = [
  ':matches(PropertyDefinition, MethodDefinition[kind!="constructor"])[accessibility="private"]',
  'TSParameterProperty[accessibility="private"]',
].map((selector) => ({ selector, message: 'Write a #name in place of `private`.' }))

/** `import { z }` brings every locale of zod into the bundle: half a megabyte. */
const zodNamespace = {
  selector: 'ImportDeclaration[source.value="zod"] > ImportSpecifier',
  message: "Write import * as z from 'zod'.",
}

const literalText = {
  selector: "CallExpression[callee.object.name='l10n'][callee.property.name='t'][arguments.0.type!='Literal']",
  message: 'l10n.t() needs a literal text: `npm run l10n` finds no other, so that it could not be translated.',
}

export default tseslint.config(
  { ignores: ['dist/**', 'test/.artifacts/**', 'test/fixtures/**', 'test/bench/results/**', 'test/bench/peers/**'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,mts,mjs,cjs}'],
    rules: { 'max-len': ['error', { code: 120 }] },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines': ['error', 400],
      // The types of the test runners are in the same compilation.
      'no-restricted-globals': [
        'error',
        'describe',
        'it',
        'test',
        'suite',
        'before',
        'after',
        'beforeEach',
        'afterEach',
      ],
    },
  },
  {
    files: ['**/*.{mjs,mts}'],
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
      'no-restricted-syntax': ['error', ...privateKeyword, zodNamespace],
      // Method shorthand and property style are both fine; this rule only churns interfaces.
      '@typescript-eslint/method-signature-style': 'off',
    },
  },
  {
    files: ['src/words/**/*.ts', 'src/extension/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...privateKeyword, zodNamespace, literalText],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
)

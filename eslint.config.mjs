// ESLint: typescript-eslint's type-checked strict rules, plus the limits of the house style (400 lines a file, 60 a function).
import js from '@eslint/js';
import { configs as lit } from 'eslint-plugin-lit';
import tseslint from 'typescript-eslint';

const TESTS = ['test/**', 'bench/**'];

const globals = (...names) => Object.fromEntries(names.map((name) => [name, 'readonly']));
const both = [
  'URL',
  'console',
  'fetch',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'AbortController',
  'AbortSignal',
  'TextEncoder',
  'TextDecoder',
  'performance',
  'structuredClone',
];

export default tseslint.config(
  { ignores: ['dist/', '.cache/', 'coverage/', 'demo/media/', 'test/fixtures/', 'bench/results/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    rules: {
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 60 }],
      'no-control-regex': 'off', // parsers of hostile input name control characters on purpose
      eqeqeq: 'error',
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
      ],
      '@typescript-eslint/parameter-properties': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/require-await': 'off', // an async method may have nothing to wait for and still reject instead of throwing
      '@typescript-eslint/unified-signatures': 'off', // overloads that are documented one by one stay apart
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a union of string literals instead of an enum.' },
      ],
    },
  },
  { ...lit['flat/recommended'], files: ['components/**/*.ts'] },
  {
    files: TESTS.map((folder) => `${folder}/*.ts`),
    rules: {
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-expressions': 'off', // chai: expect(x).to.be.true
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-deprecated': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: { globals: globals(...both, 'process', 'Buffer', 'setImmediate', 'module', 'require') },
  },
  {
    files: ['demo/**/*.js'],
    languageOptions: {
      globals: globals(
        ...both,
        'window',
        'document',
        'location',
        'navigator',
        'history',
        'localStorage',
        'customElements',
        'HTMLElement',
        'CustomEvent',
        'Event',
        'URLSearchParams',
        'requestAnimationFrame',
        'matchMedia',
        'ResizeObserver',
      ),
    },
  },
);

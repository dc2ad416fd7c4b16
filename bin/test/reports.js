// Reads the reports of linters, compilers and Playwright.

/** Patterns of the lines that report a problem. */
const PROBLEMS = [
  /error TS\d+:/, // tsc, vue-tsc
  /^\s*\d+:\d+\s+error\s/, // ESLint
  /^\[(?:warn|error)\] (?!Code style issues|Run Prettier)/, // Prettier
]

/** Counts the problems in the output of a failed check. @returns at least 1 */
export function countProblems(output) {
  // Without the escape sequences of colors.
  const lines = output.replace(/\u001b\[[\d;]*m/g, '').split('\n')
  return Math.max(1, lines.filter((line) => PROBLEMS.some((pattern) => pattern.test(line))).length)
}

/**
 * @param report JSON of Playwright's reporter
 * @returns the result of a part (see test.js), and in `listed` every test, including those of `--list`
 */
export function readPlaywrightReport({ stats, suites, errors }) {
  const specsOf = (suite) => [...suite.specs, ...(suite.suites ?? []).flatMap(specsOf)]
  const tests = suites.flatMap(specsOf).flatMap((spec) =>
    spec.tests.map(({ status, results, annotations }) => ({
      file: `e2e/${spec.file}:${spec.line}`,
      name: spec.title,
      status,
      message: results.find(({ error }) => error)?.error.message,
      reason: annotations.find(({ type }) => type === 'skip')?.description,
    })),
  )
  const failures = [
    // A test that passed on a retry ("flaky") has failed once.
    ...tests.filter(({ status }) => status === 'unexpected' || status === 'flaky'),
    ...errors.map(({ message }) => ({ file: 'e2e', name: 'outside of the tests', message })),
  ]
  return {
    passed: stats.expected,
    failed: failures.length,
    failures,
    skipped: tests.filter(({ status }) => status === 'skipped'),
    listed: tests.map(({ file, name }) => ({ file, name })),
  }
}

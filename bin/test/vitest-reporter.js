// Writes the result of a Vitest run to the file that UNDERSTUDY_TEST_REPORT names, as test.js expects it. Vitest's own JSON report lacks
// the reasons of skipped tests.
import { writeFileSync } from 'node:fs'

export default class VitestReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const result = { passed: 0, failed: 0, failures: [], skipped: [] }
    const addFailure = (file, name, message) => {
      result.failed++
      result.failures.push({ file, name, message })
    }
    for (const module of modules) {
      const file = module.relativeModuleId
      for (const { message } of module.errors()) addFailure(file, 'outside of the tests', message)
      for (const suite of module.children.allSuites())
        for (const { message } of suite.errors()) addFailure(file, suite.fullName, message)
      for (const test of module.children.allTests()) {
        const { state, errors, note } = test.result()
        if (state === 'passed') result.passed++
        else if (state === 'failed') addFailure(file, test.fullName, errors[0]?.message)
        else if (test.options.mode !== 'run' || note !== undefined)
          result.skipped.push({ file, name: test.fullName, reason: note })
        else result.skipped.push({ file, name: test.fullName, reason: 'did not run: its setup failed' })
      }
    }
    for (const { message } of unhandledErrors) addFailure('vitest', 'unhandled error', message)
    writeFileSync(process.env.UNDERSTUDY_TEST_REPORT, JSON.stringify(result))
  }
}

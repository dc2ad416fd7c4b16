// Writes the result of a Vitest run for test.js, to the file that UNDERSTUDY_TEST_REPORT names. Vitest's own JSON
// report lacks the reasons of skipped tests.
import { writeFileSync } from 'node:fs'

export default class VitestReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const report = process.env.UNDERSTUDY_TEST_REPORT
    if (!report) return
    const failures = []
    const skipped = []
    let passed = 0
    for (const module of modules) {
      const { relativeModuleId: file, children } = module
      for (const { message } of module.errors()) failures.push({ file, name: 'outside of the tests', message })
      for (const suite of children.allSuites())
        for (const { message } of suite.errors()) failures.push({ file, name: suite.fullName, message })
      for (const test of children.allTests()) {
        const { state, errors, note: reason } = test.result()
        if (state === 'passed') passed++
        else if (state === 'failed') failures.push({ file, name: test.fullName, message: errors[0]?.message })
        else skipped.push({ file, name: test.fullName, reason })
      }
    }
    for (const { message } of unhandledErrors) failures.push({ file: 'vitest', name: 'unhandled error', message })
    writeFileSync(report, JSON.stringify({ passed, failed: failures.length, failures, skipped }))
  }
}

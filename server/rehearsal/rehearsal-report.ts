import { describeStepProblem } from '../../shared/failures/step-problem.ts'
import { describeNotRun } from './not-run.ts'
import xmlbuilder from 'xmlbuilder'
import { z } from 'zod'
import { type Profile, profileSchema } from '../../shared/deck/contract.ts'
import { captured } from '../../shared/recording/metadata.ts'
import type { StepReport } from './rehearsal.ts'

const stepFields = { step: z.string(), slide: z.number().int() }

/** The JSON report of `npm run rehearse`. Times are in seconds. */
export const rehearsalFile = z.strictObject({
  deck: z.string(),
  profile: profileSchema,
  date: z.iso.datetime(),
  steps: z.array(
    z.union([
      z.strictObject({
        ...stepFields,
        result: z.enum(['passed', 'failed']),
        seconds: z.number(),
        problems: z.array(z.string()),
        captures: z.record(z.string(), captured),
        recorded: z.boolean(),
      }),
      z.strictObject({ ...stepFields, result: z.literal('not-run'), reason: z.string() }),
    ]),
  ),
})
export type RehearsalFile = z.infer<typeof rehearsalFile>

/** Converts reports for the JSON file, which contains sentences instead of typed values. */
export function fileEntries(reports: StepReport[]): RehearsalFile['steps'] {
  return reports.map((report) =>
    report.result === 'not-run'
      ? { ...report, reason: describeNotRun(report.reason) }
      : { ...report, problems: report.problems.map(describeStepProblem) },
  )
}

/**
 * Formats reports as a text table with one row per step.
 *
 * @param previous the file of the previous rehearsal, with which the durations are compared
 */
export function table(reports: StepReport[], previous: RehearsalFile | undefined): string {
  const rows = reports.map((report) => {
    const before = previous?.steps.find(({ step }) => step === report.step)
    if (report.result === 'not-run') return [report.step, 'not run', '', '', describeNotRun(report.reason)]
    const difference = before && before.result !== 'not-run' ? report.seconds - before.seconds : undefined
    const comparison =
      difference === undefined ? 'first run' : `${difference < 0 ? '−' : '+'}${Math.abs(difference).toFixed(1)} s`
    return [
      report.step,
      report.result,
      `${report.seconds.toFixed(1)} s`,
      comparison,
      report.problems.map(describeStepProblem).join(' '),
    ]
  })
  const header = ['step', 'result', 'time', 'change', 'problem']
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => (row[column] ?? '').length)))
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) =>
          column === 4 ? cell : column > 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Formats reports as JUnit XML for CI systems such as Jenkins and GitLab. */
export function junit(deck: string, profile: Profile, date: string, reports: StepReport[]): string {
  const count = (result: StepReport['result']) => reports.filter((report) => report.result === result).length
  const seconds = reports.reduce((sum, report) => sum + (report.result === 'not-run' ? 0 : report.seconds), 0)
  const suite = xmlbuilder.create('testsuites', { version: '1.0', encoding: 'UTF-8' }).ele('testsuite', {
    name: `${deck} (${profile})`,
    tests: reports.length,
    failures: count('failed'),
    skipped: count('not-run'),
    time: seconds.toFixed(3),
    timestamp: date,
  })
  for (const report of reports) {
    const test = suite.ele('testcase', {
      classname: `slide ${report.slide}`,
      name: report.step,
      time: report.result === 'not-run' ? '0' : report.seconds.toFixed(3),
    })
    if (report.result === 'not-run') test.ele('skipped', { message: describeNotRun(report.reason) })
    if (report.result === 'failed') {
      const problems = report.problems.map(describeStepProblem)
      test.ele('failure', { message: printable(problems[0] ?? '') }, printable(problems.join('\n')))
    }
  }
  return suite.end({ pretty: true })
}

/** Replaces characters that XML 1.0 does not allow. Problems may quote the output of programs. */
function printable(text: string): string {
  return text.replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd]/g, '\ufffd')
}

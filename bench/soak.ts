import { runSoak } from './soak-run.ts'

// `npm run soak -- --minutes 60`: prints endless output in a terminal and reports how the server's memory grows.
const index = process.argv.indexOf('--minutes')
const minutes = index < 0 ? 10 : Number(process.argv[index + 1])
if (!(minutes > 0)) {
  console.error(`Invalid duration "${process.argv[index + 1] ?? ''}": use a number of minutes, as in --minutes 60`)
  process.exit(1)
}
const { gigabytes, hours, mebibytesPerGigabyte, mebibytesPerHour, firstMebibytes, lastMebibytes } = await runSoak(
  minutes * 60,
  (line) => console.log(line),
)
console.log(
  `${gigabytes.toFixed(2)} GB in ${(hours * 60).toFixed(1)} minutes: memory from ${firstMebibytes.toFixed(0)} to ` +
    `${lastMebibytes.toFixed(0)} MiB, slope ${mebibytesPerGigabyte.toFixed(2)} MiB per GB, ${mebibytesPerHour.toFixed(1)} MiB per hour`,
)

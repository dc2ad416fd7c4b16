/**
 * Plans the time for every slide. Slides without a pace share the rest of the talk evenly.
 *
 * @param paces seconds for each slide; undefined for a slide without a pace
 * @param duration length of the talk in seconds
 * @returns seconds for each slide
 */
export function plan(paces: (number | undefined)[], duration: number): number[] {
  const given = paces.reduce<number>((sum, pace) => sum + (pace ?? 0), 0)
  const open = paces.filter((pace) => pace === undefined).length
  const share = Math.max(0, duration - given) / Math.max(1, open)
  return paces.map((pace) => pace ?? share)
}

/**
 * Calculates how far the presenter is ahead or behind.
 *
 * @param planned seconds for every slide
 * @param slide number of the current slide, from 1
 * @param elapsed seconds since the talk began
 * @returns seconds: positive if behind, negative if ahead, 0 within the time planned for this slide
 */
export function drift(planned: number[], slide: number, elapsed: number): number {
  const start = planned.slice(0, slide - 1).reduce((sum, length) => sum + length, 0)
  const end = start + (planned[slide - 1] ?? 0)
  return elapsed > end ? elapsed - end : elapsed < start ? elapsed - start : 0
}

/** Formats a number of seconds, without its sign, as minutes and seconds: `1:05` for 65. */
export function clock(seconds: number): string {
  const whole = Math.floor(Math.abs(seconds))
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

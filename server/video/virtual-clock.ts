import type {} from '../../shared/video/renderer-bridge.ts'
import type { VideoEvent } from '../../shared/video/timeline.ts'

/**
 * A virtual clock for a page, installed before any other script. Timers, dates, animations and transitions follow it,
 * and only the renderer advances it, frame by frame. Two things still run in real time: timers that are due almost
 * immediately, which xterm.js uses to parse its output, and the loading of files.
 */
export interface VirtualClock {
  /**
   * Waits until Slidev's navigation is available.
   *
   * @param timeoutMs in real time
   * @returns false on timeout
   */
  waitUntilReady: (timeoutMs: number) => Promise<boolean>
  /** Replaces the events to apply. They must be in ascending order of time. */
  load: (events: VideoEvent[]) => void
  /**
   * Advances the page quickly, applying the loaded events.
   *
   * @param start in seconds: earlier events are applied at once, later ones at their own times
   * @param end in seconds
   */
  fastForward: (start: number, end: number) => Promise<void>
  /** Shows a slide with all its animations finished. */
  visit: (slide: number) => Promise<void>
  /**
   * Advances frame by frame to the first frame that may differ from the one before.
   *
   * @param from the first frame to consider
   * @returns that frame, or `to` if all frames before `to` are equal
   */
  advance: (from: number, to: number, fps: number) => Promise<number>
  /** Checks whether the page is ready to be captured. Returns undefined if it is. */
  findProblem: () => FrameProblem | undefined
  /** Returns the visible text of the slide and its terminals. */
  text: () => string
}

/** A reason why a page must not be captured. */
export type FrameProblem =
  | { kind: 'slide-loading' }
  | { kind: 'image-broken'; url: string }
  /** The DOM does not show what the terminal's buffer contains. Lines count from 1. */
  | { kind: 'line-not-rendered'; terminal: string; line: number }

declare global {
  interface Window {
    understudyClock: VirtualClock
  }
}

/** The parts of an xterm.js terminal that the renderer reads. */
interface TerminalLike {
  buffer: {
    active: {
      viewportY: number
      getLine: (row: number) =>
        | {
            length: number
            getCell: (
              column: number,
            ) => { getWidth: () => number; getChars: () => string; isInvisible: () => number } | undefined
          }
        | undefined
    }
  }
}

export interface ClockOptions {
  /** Milliseconds since 1970 at the first frame of the video. */
  epochMs: number
  /** The initial time in milliseconds since the first frame. May be negative. */
  startMs: number
}

/**
 * Installs `window.understudyClock`. Its source is sent to the page, so it must not refer to other code in this file.
 */
export function installVirtualClock({ epochMs, startMs }: ClockOptions): void {
  /** Shorter timers run in real time: xterm.js yields with them while it parses. */
  const MIN_VIRTUAL_DELAY_MS = 5
  /** Added to `performance.now()`, which must not be negative. */
  const PERFORMANCE_OFFSET_MS = 3_600_000
  const READY_POLL_MS = 20
  /** Limits for a page that never becomes idle. */
  const MAX_SETTLE_ROUNDS = 200
  const MAX_ANIMATION_ROUNDS = 8
  /** Consecutive rounds without activity after which a page is idle. */
  const REQUIRED_IDLE_ROUNDS = 2
  /** Added to the time of a frame, so that events at exactly this time count despite rounding. */
  const FRAME_EPSILON_MS = 0.001

  const realTimeout = window.setTimeout.bind(window)
  const realClear = window.clearTimeout.bind(window)
  const realFrame = window.requestAnimationFrame.bind(window)

  let now = startMs
  let nextId = 1_000_000_000
  const timers = new Map<number, { due: number; interval: number | undefined; callback: () => void }>()
  let frameCallbacks = new Map<number, FrameRequestCallback>()

  const virtualDate = () => epochMs + now
  window.Date = new Proxy(Date, {
    apply: (target) => new target(virtualDate()).toString(),
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [virtualDate()] : args, newTarget) as Date,
    get: (target, name): unknown => (name === 'now' ? virtualDate : Reflect.get(target, name)),
  })
  performance.now = () => PERFORMANCE_OFFSET_MS + now

  const schedule = (callback: unknown, delay: unknown, repeat: boolean, args: unknown[]): number => {
    const delayMs = Number(delay) || 0
    if (typeof callback !== 'function') return 0
    const run = () => void (callback as (...args: unknown[]) => void)(...args)
    if (delayMs < MIN_VIRTUAL_DELAY_MS && !repeat) return realTimeout(run, delayMs)
    const id = nextId++
    const interval = Math.max(1, delayMs)
    timers.set(id, { due: now + interval, interval: repeat ? interval : undefined, callback: run })
    return id
  }
  const cancel = (id: unknown) => {
    if (!timers.delete(Number(id))) realClear(Number(id))
  }
  Object.assign(window, {
    setTimeout: (callback: unknown, delay?: unknown, ...args: unknown[]) => schedule(callback, delay, false, args),
    setInterval: (callback: unknown, delay?: unknown, ...args: unknown[]) => schedule(callback, delay, true, args),
    clearTimeout: cancel,
    clearInterval: cancel,
    requestAnimationFrame: (callback: FrameRequestCallback) => {
      frameCallbacks.set(nextId, callback)
      return nextId++
    },
    cancelAnimationFrame: (id: number) => void frameCallbacks.delete(id),
    requestIdleCallback: (callback: IdleRequestCallback) =>
      realTimeout(() => callback({ didTimeout: false, timeRemaining: () => 10 }), 0),
    cancelIdleCallback: cancel,
  })

  /** Sets the clock and runs the timers that are due by then, each at its own time. */
  const setTime = (target: number) => {
    for (;;) {
      const next = [...timers]
        .filter(([, { due }]) => due <= target)
        .sort(([idA, a], [idB, b]) => a.due - b.due || idA - idB)[0]
      if (!next) break
      const [id, timer] = next
      now = Math.max(now, timer.due)
      if (timer.interval === undefined) timers.delete(id)
      else timer.due += timer.interval
      try {
        timer.callback()
      } catch (error) {
        window.reportError(error)
      }
    }
    now = target
  }

  /** Runs the pending animation frame callbacks. @returns whether there were any */
  const runFrameCallbacks = () => {
    const pending = frameCallbacks
    frameCallbacks = new Map()
    for (const callback of pending.values())
      try {
        callback(performance.now())
      } catch (error) {
        window.reportError(error)
      }
    return pending.size > 0
  }

  const animationStarts = new WeakMap<Animation, number>()
  /**
   * Sets every animation to the virtual time. An animation seen for the first time starts now.
   *
   * @param finish whether to finish all animations that are not endless
   */
  const updateAnimations = (finish: boolean): 'none' | 'running' | 'ended' => {
    let state: 'none' | 'running' | 'ended' = 'none'
    for (const animation of document.getAnimations()) {
      if (animation.playState === 'finished') continue
      let start = animationStarts.get(animation)
      if (start === undefined) {
        start = now
        animationStarts.set(animation, start)
        animation.pause()
      }
      const duration = Number(animation.effect?.getComputedTiming().endTime ?? 0)
      if (now - start >= duration || (finish && duration !== Infinity)) {
        animation.finish()
        state = 'ended'
      } else {
        animation.currentTime = now - start
        if (state === 'none') state = 'running'
      }
    }
    return state
  }

  let visibleMutations = 0
  const handleMutations = (records: MutationRecord[]) => {
    for (const { target } of records) {
      const element = target instanceof Element ? target : target.parentElement
      // Changes of the head are visible, since it contains styles; changes of hidden slides are not.
      if (!element || element.closest('head') || element === document.documentElement || element.checkVisibility())
        visibleMutations++
    }
  }
  const observer = new MutationObserver(handleMutations)
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true })

  const nextTask = () => new Promise<void>((resolve) => realTimeout(resolve, 0))
  const nextRealFrame = () => new Promise<void>((resolve) => realFrame(() => resolve()))
  const isLoading = () =>
    (window.understudyRenderer?.unparsed ?? 0) > 0 ||
    document.fonts.status === 'loading' ||
    [...document.images].some((image) => !image.complete && image.checkVisibility())

  /**
   * Waits until the page is idle at the current virtual time.
   *
   * @param withLayout whether to wait for effects that the browser reports only with a real frame, such as resizes
   * @param finish whether to finish all animations
   */
  const settle = async (withLayout: boolean, finish = false) => {
    let idleRounds = 0
    for (let round = 0; round < MAX_SETTLE_ROUNDS && idleRounds < REQUIRED_IDLE_ROUNDS; round++) {
      await nextTask()
      // A page may request animation frames forever.
      const isBusy = (runFrameCallbacks() && round < MAX_ANIMATION_ROUNDS) || isLoading()
      const animations = updateAnimations(finish)
      if (animations === 'ended' || (withLayout && (!isBusy || isLoading()))) await nextRealFrame()
      idleRounds = isBusy || animations === 'ended' ? 0 : idleRounds + 1
    }
    handleMutations(observer.takeRecords())
  }

  let events: VideoEvent[] = []
  let nextEvent = 0
  /**
   * Applies the events up to a time and sets the clock to it.
   *
   * @param until milliseconds
   * @returns whether any of them may change the layout; terminal output does not
   */
  const applyEvents = (until: number): boolean => {
    let changesLayout = false
    for (let event = events[nextEvent]; event && event.time * 1000 <= until; event = events[++nextEvent]) {
      setTime(Math.max(now, event.time * 1000))
      window.understudyRenderer?.apply?.(event)
      if (event.type !== 'output') changesLayout = true
    }
    setTime(Math.max(now, until))
    return changesLayout
  }

  const normalized = (text: string) => text.replaceAll('\u00a0', ' ').trimEnd()

  let isAnimating = false
  window.understudyClock = {
    async waitUntilReady(timeoutMs) {
      for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += READY_POLL_MS) {
        if (window.understudyRenderer?.position) return true
        await new Promise<void>((resolve) => realTimeout(resolve, READY_POLL_MS))
      }
      return false
    },
    load(newEvents) {
      events = newEvents
      nextEvent = 0
    },
    async fastForward(start, end) {
      for (let event = events[nextEvent]; event && event.time < start; event = events[++nextEvent])
        if (event.type !== 'show') window.understudyRenderer?.apply?.(event)
      // Advances in steps of a second, so that delayed work such as Slidev's preloading of slides is done in between.
      while (now < start * 1000) {
        setTime(Math.min(start * 1000, now + 1000))
        await settle(true, true)
      }
      for (let event = events[nextEvent]; event && event.time < end; event = events[nextEvent]) {
        setTime(Math.max(now, event.time * 1000))
        if (event.type !== 'output') await settle(true)
        if (applyEvents(event.time * 1000)) await settle(true)
      }
      setTime(Math.max(now, end * 1000))
      await settle(true)
      isAnimating = updateAnimations(false) === 'running'
    },
    async visit(slide) {
      window.understudyRenderer?.go?.(slide, 0)
      await settle(true, true)
      await settle(true, true)
    },
    async advance(from, to, fps) {
      for (let frame = from; frame < to; frame++) {
        const time = (frame / fps) * 1000 + FRAME_EPSILON_MS
        const mayChange =
          isAnimating ||
          frameCallbacks.size > 0 ||
          (events[nextEvent]?.time ?? Infinity) * 1000 <= time ||
          [...timers.values()].some(({ due }) => due <= time)
        if (!mayChange) continue
        const mutationsBefore = visibleMutations
        const changesLayout = applyEvents(time)
        await settle(changesLayout)
        const wasAnimating = isAnimating
        isAnimating = updateAnimations(false) !== 'none'
        if (visibleMutations > mutationsBefore || isAnimating || wasAnimating) return frame
      }
      return to
    },
    findProblem() {
      const loading = document.querySelectorAll('.slidev-slide-loading, .slidev-loading, .understudy-loading')
      if ([...loading].some((element) => element.checkVisibility())) return { kind: 'slide-loading' }
      const broken = [...document.images].find(
        (image) => image.checkVisibility() && image.complete && image.naturalWidth === 0 && image.src !== '',
      )
      if (broken) return { kind: 'image-broken', url: broken.src }
      for (const element of document.querySelectorAll<HTMLElement & { terminal?: TerminalLike }>('[data-terminal]')) {
        if (!element.checkVisibility() || !element.terminal) continue
        const { active } = element.terminal.buffer
        for (const [row, rendered] of [...element.querySelectorAll('.xterm-rows > div')].entries()) {
          const line = active.getLine(active.viewportY + row)
          const expected = Array.from({ length: line?.length ?? 0 }, (_, column) => line?.getCell(column))
            // The second half of a wide character is a cell of width 0.
            .map((cell) => (!cell || cell.getWidth() === 0 ? '' : cell.isInvisible() ? ' ' : cell.getChars() || ' '))
            .join('')
          if (normalized(rendered.textContent) !== normalized(expected))
            return { kind: 'line-not-rendered', terminal: element.dataset.terminal ?? '', line: row + 1 }
        }
      }
      return undefined
    },
    text: () =>
      [...document.querySelectorAll<HTMLElement>('.slidev-page')]
        .filter((page) => page.checkVisibility())
        .map((page) => page.innerText.replaceAll('\u00a0', ' '))
        .join('\n'),
  }
}

import type { Contract } from '../../shared/deck/contract.ts'
import type { Place } from '../../shared/failures/deck-problem.ts'
import type { Task } from './task.ts'

/** A runnable command of the deck. */
export interface Step {
  id: string
  /** The command on the slide, with `{{name}}` in place of each input. */
  command: string
  /** SHA-256 of the command, hex. */
  hash: string
  terminal: string
  contract: Contract
  /** Number of the first slide that shows the step, from 1. */
  slide: number
  /** Numbers of all slides that show the step, from 1: several if a file is imported several times. */
  slides: readonly number[]
  /** Position of the fence on the first slide. */
  place: Place
}

/** A task that a slide of the deck presents. */
export interface DeckTask extends Task {
  /** Number of the slide, from 1. */
  slide: number
  /** Position of the task's name in the slide. */
  place: Place
}

/** A slide of the page, and the steps that it must show. */
export interface DeckSlide {
  /** Position of its first line. */
  place: Place & { slide: number }
  /** SHA-256 of the slide's Markdown, hex. */
  content: string
  steps: readonly { id: string; hash: string; place: Place }[]
  references: readonly Reference[]
}

/** A URL that the browser loads to show a slide: an image, a video, an embedded page, a font … */
export interface Reference {
  url: string
  /** `bundled`: the bundler finds the file; `prop`: the browser does, relative to public/. */
  loadedBy: 'bundled' | 'prop'
  /** Folder of the file that contains the URL, absolute. */
  folder: string
  place: Place
}

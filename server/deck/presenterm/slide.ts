import { stringify } from 'yaml'

/** Columns of a slide, with the share of the width that each takes. */
export interface ColumnLayout {
  shares: number[]
}

/** Consecutive content of a slide that appears at the same time, in the same place. */
interface Segment {
  layout?: ColumnLayout
  column?: number
  /** `click`: appears with a click of its own; `after`: with the click before it; `each`: one list item per click. */
  appears: 'at once' | 'click' | 'after' | 'each'
  alignment?: 'center' | 'right'
  parts: string[]
}

/** A slide of the new deck while it is being written. */
export class SlideWriter {
  readonly frontmatter: Record<string, unknown> = {}
  readonly contracts: Record<string, unknown> = {}
  readonly notes: string[] = []
  /** Ids of the steps on this slide. */
  readonly steps: string[] = []
  /** Whether a terminal has been placed on the slide. */
  hasTerminal = false
  inMiddle = false
  hasTitle = false
  incrementalLists: boolean
  private layout: ColumnLayout | undefined
  private column: number | undefined
  private alignment: Segment['alignment']
  /** `pending`: the next content appears with a click. */
  private pause: 'none' | 'pending' | 'passed' = 'none'
  private readonly segments: Segment[] = []

  constructor(incrementalLists: boolean) {
    this.incrementalLists = incrementalLists
  }

  get isEmpty(): boolean {
    return this.segments.length === 0 && this.notes.length === 0
  }

  addPause(): void {
    this.pause = 'pending'
  }

  setLayout(layout: ColumnLayout | undefined): void {
    this.layout = layout
    this.column = undefined
  }

  /** @returns whether the layout has this column */
  setColumn(column: number): boolean {
    if (column >= (this.layout?.shares.length ?? 0)) return false
    this.column = column
    return true
  }

  setAlignment(alignment: string): void {
    this.alignment = alignment === 'center' || alignment === 'right' ? alignment : undefined
  }

  /** @param each show one list item per click */
  add(part: string, each = false): void {
    const last = this.segments.at(-1)
    const same = last && last.layout === this.layout && last.column === this.column && last.alignment === this.alignment
    if (same && !each && last.appears !== 'each' && this.pause !== 'pending') {
      last.parts.push(part)
      return
    }
    const appears = each ? 'each' : this.pause === 'none' ? 'at once' : this.pause === 'pending' ? 'click' : 'after'
    if (each || this.pause === 'pending') this.pause = 'passed'
    this.segments.push({
      appears,
      parts: [part],
      ...(this.layout && { layout: this.layout }),
      ...(this.column !== undefined && { column: this.column }),
      ...(this.alignment && { alignment: this.alignment }),
    })
  }

  /** The frontmatter without its delimiters; empty if there is none. */
  renderFrontmatter(first: Record<string, unknown> = {}): string {
    const data = {
      ...first,
      ...(this.steps.length > 0 && !this.hasTerminal
        ? { layout: 'stage' }
        : this.inMiddle && { layout: 'center', class: 'text-center' }),
      ...this.frontmatter,
      ...(Object.keys(this.contracts).length > 0 && { steps: this.contracts }),
    }
    return Object.keys(data).length === 0 ? '' : stringify(data)
  }

  renderBody(): string {
    const parts: string[] = []
    for (let index = 0; index < this.segments.length;) {
      const first = this.segments[index]
      const end = this.segments.findIndex((segment, at) => at > index && segment.layout !== first?.layout)
      const group = this.segments.slice(index, end < 0 ? undefined : end)
      parts.push(first?.layout ? renderColumns(first.layout, group) : group.map(renderSegment).join('\n\n'))
      index += group.length
    }
    if (this.notes.length > 0) parts.push(`<!--\n${this.notes.join('\n\n')}\n-->`)
    return parts.join('\n\n')
  }
}

function renderColumns({ shares }: ColumnLayout, segments: Segment[]): string {
  const before = segments.filter(({ column }) => column === undefined).map(renderSegment)
  const columns = shares.map((_, index) => {
    const content = segments.filter(({ column }) => column === index).map(renderSegment)
    return ['<div>', ...content, '</div>'].join('\n\n')
  })
  const widths = shares.map((share) => `minmax(0, ${share}fr)`).join(' ')
  const grid = [`<div class="grid gap-6" style="grid-template-columns: ${widths}">`, ...columns, '</div>'].join('\n\n')
  return [...before, grid].join('\n\n')
}

function renderSegment({ appears, alignment, parts }: Segment): string {
  const content = parts.join('\n\n')
  const aligned = alignment ? wrap(`<div class="text-${alignment}">`, content, '</div>') : content
  switch (appears) {
    case 'at once':
      return aligned
    case 'click':
      return wrap('<v-click>', aligned, '</v-click>')
    case 'after':
      return wrap('<v-after>', aligned, '</v-after>')
    case 'each':
      return wrap('<v-clicks depth="3">', aligned, '</v-clicks>')
  }
}

function wrap(opening: string, content: string, closing: string): string {
  return `${opening}\n\n${content}\n\n${closing}`
}

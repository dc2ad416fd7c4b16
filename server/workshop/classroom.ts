import type { WebSocket } from 'ws'
import type { z } from 'zod'
import type { Deck } from '../deck/deck.ts'
import type { ServerMessage } from '../../shared/protocol/talk.ts'
import type { Permission } from '../../shared/roles.ts'
import { access } from '../../shared/roles.ts'
import type { Room } from '../http/room.ts'
import { RefusedError } from '../steps/refused-error.ts'
import type { ClassInfo, classClientMessages, Join } from '../../shared/protocol/class.ts'
import type { Learner } from './learner.ts'

export type ClassMessage = z.infer<(typeof classClientMessages)[keyof typeof classClientMessages]>

/** A learner's place in the class. */
interface Place {
  learner: Learner
  room: Room
  link: string
  join: Join
  notes: { text: string; at: number }[]
}

/** Notes that wait for a learner who does not read them; older ones go. */
const NOTES = 20
/** Milliseconds in which changes are gathered before the instructor is told. */
const GATHER = 100

/** Several learners and who teaches them: who is how far, notes, and typing in a learner's terminals with the learner's consent. */
export class Classroom {
  private readonly places = new Map<string, Place>()
  private readonly instructors = new Set<WebSocket>()
  private deck: Deck
  private timer: NodeJS.Timeout | undefined

  /** @param learners each with the room of their windows, and the link that lets them in */
  constructor(deck: Deck, learners: { learner: Learner; room: Room; link: string }[]) {
    this.deck = deck
    for (const { learner, room, link } of learners) {
      this.places.set(learner.name, { learner, room, link, join: 'none', notes: [] })
      learner.course.on('message', ({ type }) => (type === 'task' || type === 'activity') && this.changed())
      learner.stage.terminals.on('state', () => this.changed())
      room.onWindows(() => {
        this.changed()
        // Nobody is there any more who has agreed.
        const place = this.places.get(learner.name)
        if (place && place.join !== 'none' && room.count('learner') === 0) this.setJoin(place, 'none')
      })
    }
  }

  useDeck(deck: Deck): void {
    this.deck = deck
    this.changed()
  }

  /** Shows the class to a window of the instructor. */
  enter(window: WebSocket): void {
    this.instructors.add(window)
    window.on('close', () => this.instructors.delete(window))
    window.send(JSON.stringify(this.message()))
  }

  close(): void {
    clearTimeout(this.timer)
  }

  /** What a window of a learner, or one that looks at a learner, is told when it opens. */
  seat(name: string): ServerMessage | undefined {
    const place = this.places.get(name)
    return place && { type: 'seat', seat: { join: place.join, notes: place.notes } }
  }

  /** Whether an instructor may type in the terminals of a learner. */
  joined(name: string): boolean {
    return this.places.get(name)?.join === 'joined'
  }

  /**
   * Does what a window asks for.
   *
   * @param from the name of the learner whose window it is
   * @throws RefusedError
   */
  async handle(message: ClassMessage, from: string | undefined): Promise<void> {
    switch (message.type) {
      case 'send-note': {
        const place = this.place(message.learner)
        place.notes = [...place.notes, { text: message.text, at: Date.now() }].slice(-NOTES)
        return this.tell(place)
      }
      case 'ask-join': {
        const place = this.place(message.learner)
        if (place.room.count('learner') === 0)
          throw new RefusedError({
            kind: 'unexpected',
            message: `${message.learner} has no window open: there is nobody to ask.`,
          })
        return place.join === 'none' ? this.setJoin(place, 'asked') : undefined
      }
      case 'leave-join':
        return this.setJoin(this.place(message.learner), 'none')
      case 'end-terminals':
        return endTerminals(this.place(message.learner).learner)
      case 'reset-learner': {
        const { learner } = this.place(message.learner)
        await learner.stage.reset()
        return this.changed()
      }
      case 'answer-join': {
        const place = this.place(from ?? '')
        if (message.agree && place.join === 'none')
          throw new RefusedError({ kind: 'unexpected', message: 'Nobody asks any more.' })
        return this.setJoin(place, message.agree ? 'joined' : 'none')
      }
      case 'read-notes': {
        const place = this.place(from ?? '')
        place.notes = []
        return this.tell(place)
      }
    }
  }

  private place(name: string): Place {
    const place = this.places.get(name)
    if (!place) throw new RefusedError({ kind: 'unexpected', message: `This class has no learner "${name}".` })
    return place
  }

  private setJoin(place: Place, join: Join): void {
    if (place.join === join) return
    const typing = place.join === 'joined' || join === 'joined'
    place.join = join
    if (typing) place.room.setPermissions('instructor', permissionsIn(join === 'joined'))
    this.tell(place)
    this.changed()
  }

  private tell({ learner, room }: Place): void {
    const message = this.seat(learner.name)
    if (message) room.broadcast(message)
  }

  private changed(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      const text = JSON.stringify(this.message())
      for (const window of this.instructors) if (window.readyState === window.OPEN) window.send(text)
    }, GATHER)
  }

  private message(): ServerMessage {
    const tasks = [...this.deck.tasks.values()].map(({ id, title, slide }) => ({ id, title, slide }))
    const learners = [...this.places.values()].map(({ learner, room, link, join }): ClassInfo['learners'][number] => {
      const { tasks, activity } = learner.course.info()
      return {
        name: learner.name,
        link,
        windows: room.count('learner'),
        states: Object.fromEntries(tasks.map(({ id, progress }) => [id, progress.state])),
        activity,
        busy: learner.stage.terminals
          .list()
          .filter(({ state }) => state.state === 'busy')
          .map(({ name }) => name),
        join,
      }
    })
    return { type: 'class', class: { tasks, learners } }
  }
}

async function endTerminals({ stage }: Learner): Promise<void> {
  const used = stage.terminals.list().filter(({ state }) => state.state !== 'new')
  await Promise.all(used.map(({ name }) => stage.terminals.get(name)?.restart()))
}

/** What a window of the instructor that looks at a learner may do: with the learner's consent, what the learner can do in terminals. */
export function permissionsIn(joined: boolean): readonly Permission[] {
  return [...access('instructor').permissions, ...(joined ? (['type', 'run'] as const) : [])]
}

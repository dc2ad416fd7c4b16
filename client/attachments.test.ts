import { expect, test } from 'vitest'
import { encodeFrame } from '../shared/protocol/frame.ts'
import type { ClientMessage } from '../shared/protocol/talk.ts'
import { Attachments } from './attachments.ts'

/** Attachments whose messages and drawings are recorded. */
function recorder() {
  const sent: ClientMessage[] = []
  const attachments = new Attachments(
    (message) => sent.push(message),
    () => false,
  )
  const renderer = () => {
    const drawn: string[] = []
    return {
      drawn,
      snapshot: (_cols: number, _rows: number, data: string) => void drawn.push(`snapshot ${data}`),
      output: (bytes: Uint8Array, parsed: () => void) => {
        drawn.push(new TextDecoder().decode(bytes))
        parsed()
      },
    }
  }
  const snapshot = (terminal: string, channel: number, data: string) =>
    attachments.snapshot({ type: 'snapshot', terminal, channel, cols: 80, rows: 24, data })
  const frame = (channel: number, text: string) =>
    attachments.frame(encodeFrame(channel, new TextEncoder().encode(text)))
  return { sent, attachments, renderer, snapshot, frame }
}

test('output is acknowledged by the bytes parsed since the snapshot', () => {
  const { sent, attachments, renderer, snapshot, frame } = recorder()
  attachments.show('one', renderer())
  snapshot('one', 1, '')
  frame(1, 'abc')
  frame(1, 'é')
  expect(sent).toEqual([
    { type: 'attach', terminal: 'one', secrets: false },
    { type: 'ack', channel: 1, bytes: 3 },
    { type: 'ack', channel: 1, bytes: 5 },
  ])
})

test('a second snapshot on the same attachment replaces the screen and drops frames of the first channel', () => {
  const { sent, attachments, renderer, snapshot, frame } = recorder()
  const one = renderer()
  attachments.show('one', one)
  snapshot('one', 1, 'live')
  snapshot('one', 2, 'replay')
  frame(1, 'late live output')
  frame(2, 'replayed')
  expect(one.drawn).toEqual(['snapshot live', 'snapshot replay', 'replayed'])
  expect(sent.filter(({ type }) => type === 'attach')).toHaveLength(1)
})

test('a new renderer of the same terminal attaches again, and releasing the old renderer does not detach it', () => {
  const { sent, attachments, renderer, snapshot } = recorder()
  const [previous, current] = [renderer(), renderer()]
  const releasePrevious = attachments.show('one', previous)
  attachments.show('one', current)
  releasePrevious()
  snapshot('one', 1, 'screen')
  expect(previous.drawn).toEqual([])
  expect(current.drawn).toEqual(['snapshot screen'])
  expect(sent.map(({ type }) => type)).toEqual(['attach', 'detach', 'attach'])
})

test('a new connection attaches to every terminal and drops frames of the old channels', () => {
  const { sent, attachments, renderer, snapshot, frame } = recorder()
  const one = renderer()
  attachments.show('one', one)
  snapshot('one', 1, 'before')
  attachments.attachAll()
  frame(1, 'of the old connection')
  expect(one.drawn).toEqual(['snapshot before'])
  expect(sent.map(({ type }) => type)).toEqual(['attach', 'attach'])
})

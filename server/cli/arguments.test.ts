import { InvalidArgumentError } from 'commander'
import { describe, expect, test } from 'vitest'
import {
  chooseDeck,
  isSameSite,
  parseCommandPrefix,
  parseDuration,
  parseFrameRate,
  parseIpv4,
  parseLearners,
  parsePageUrl,
  parsePort,
  parsePublicUrl,
  parseSlides,
  parseVideoSize,
  splitDeckArgument,
} from './arguments.ts'

describe('splitDeckArgument', () => {
  test.each([
    ['no arguments', [], 'slides.md', []],
    ['step ids', ['build', 'run-vm'], 'slides.md', ['build', 'run-vm']],
    ['a file that ends in .md', ['deck.md'], 'deck.md', []],
    ['a file and step ids', ['deck.md', 'build'], 'deck.md', ['build']],
    ['a path', ['../talk', 'build'], '../talk', ['build']],
  ])('accepts %s', (_, args, deck, rest) => {
    expect(splitDeckArgument(args)).toEqual({ deck, rest })
  })

  test('prefers --deck to the default', () => {
    expect(splitDeckArgument(['build'], 'deck.md')).toEqual({ deck: 'deck.md', rest: ['build'] })
  })

  test('rejects an argument and --deck that name different files', () => {
    expect(() => splitDeckArgument(['a.md'], 'b.md')).toThrow('Two decks are given: "a.md" and --deck "b.md"')
    expect(chooseDeck('a.md', 'a.md')).toBe('a.md')
  })
})

describe('parsers accept', () => {
  test.each<[string, (text: string) => unknown, string, unknown]>([
    ['a port', parsePort, '8080', 8080],
    ['a number of learners', parseLearners, '2', ['learner-1', 'learner-2']],
    ['names of learners', parseLearners, 'ada, bob', ['ada', 'bob']],
    ['a public URL', parsePublicUrl, 'https://workshop.example/', 'https://workshop.example'],
    ['a wildcard URL', parsePageUrl, 'https://*.workshop.example', 'https://*.workshop.example'],
    ['a command prefix', parseCommandPrefix, 'ssh lab', 'ssh lab'],
    ['a named video size', parseVideoSize, '720p', { width: 1280, height: 720, scale: 1 }],
    ['a video size in pixels', parseVideoSize, '640x360', { width: 640, height: 360, scale: 1 }],
    ['a frame rate', parseFrameRate, '30', 30],
    ['an IPv4 address', parseIpv4, '192.0.2.7', '192.0.2.7'],
    ['a duration with a unit', parseDuration, '20m', 1200],
    ['a duration with colons', parseDuration, '1:30:00', 5400],
    ['a range of slides', parseSlides, '3-5,8', [3, 4, 5, 8]],
  ])('%s', (_, parse, text, value) => {
    expect(parse(text)).toEqual(value)
  })

  test('a two-digit number of learners, whose numbers are padded', () => {
    expect(parseLearners('10').slice(0, 2)).toEqual(['learner-01', 'learner-02'])
  })

  test('an open range of slides', () => {
    expect(parseSlides('3-').slice(0, 2)).toEqual([3, 4])
  })
})

describe('parsers reject', () => {
  test.each<[string, (text: string) => unknown, string]>([
    ['port 0', parsePort, '0'],
    ['port 65536', parsePort, '65536'],
    ['a port that is not a number', parsePort, 'http'],
    ['no learners', parseLearners, '0'],
    ['201 learners', parseLearners, '201'],
    ['a learner name in upper case', parseLearners, 'Ada'],
    ['a reserved learner name', parseLearners, 'me'],
    ['two learners with the same name', parseLearners, 'ada,ada'],
    ['a public URL without TLS', parsePublicUrl, 'http://workshop.example'],
    ['a public URL with a path', parsePublicUrl, 'https://workshop.example/class'],
    ['a page URL without a wildcard', parsePageUrl, 'https://workshop.example'],
    ['an empty command prefix', parseCommandPrefix, ' '],
    ['an odd video width', parseVideoSize, '641x360'],
    ['a video of 158 pixels', parseVideoSize, '158x360'],
    ['an unknown video size', parseVideoSize, '721p'],
    ['61 frames per second', parseFrameRate, '61'],
    ['an IPv6 address', parseIpv4, '::1'],
    ['a duration of zero', parseDuration, '0'],
    ['a duration that is a word', parseDuration, 'soon'],
    ['a slide that is a word', parseSlides, 'first'],
    ['a descending range of slides', parseSlides, '5-3'],
  ])('%s', (_, parse, text) => {
    expect(() => parse(text)).toThrow(InvalidArgumentError)
  })
})

test.each([
  ['https://workshop.example', 'https://*.workshop.example', true],
  ['https://class.workshop.example', 'https://*.workshop.example', true],
  ['https://workshop.example', 'https://*.pages.workshop.example', true],
  ['https://workshop.example', 'https://*.other.example', false],
])('isSameSite(%s, %s) is %s', (publicUrl, pageUrl, expected) => {
  expect(isSameSite(publicUrl, pageUrl)).toBe(expected)
})

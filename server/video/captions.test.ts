import { expect, test } from 'vitest'
import { ffmetadata, transcript, webVtt } from './captions.ts'
import type { Timeline } from '../../shared/video/timeline.ts'

test('webVtt breaks long captions into two lines and escapes tags', () => {
  const text = 'Write <https://example.org> & say that one line would be too long for it'
  expect(webVtt([{ from: 3661.5, to: 3663.25, slide: 1, text }])).toBe(
    'WEBVTT\n\n01:01:01.500 --> 01:01:03.250\nWrite &lt;https://example.org&gt; &amp; say that\none line would be too long for it\n',
  )
})

test('ffmetadata escapes the special characters of titles', () => {
  const chapters = [
    { time: 0, title: 'a=b; #1', slide: 1 },
    { time: 2.5, title: 'The end', slide: 2 },
  ]
  expect(ffmetadata({ title: 'C:\\talk', chapters, length: 4 })).toBe(
    ';FFMETADATA1\ntitle=C:\\\\talk\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2500\ntitle=a\\=b\\; \\#1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=2500\nEND=4000\ntitle=The end\n',
  )
})

test('a transcript lists the chapters, then the narration and the command of each', () => {
  const talk: Pick<Timeline, 'title' | 'chapters' | 'captions'> = {
    title: 'A talk',
    chapters: [
      { time: 0, title: 'One', slide: 1 },
      { time: 65, title: 'One: go', slide: 1, step: 'go' },
      { time: 3700, title: 'Two', slide: 2 },
    ],
    // The narration of a slide may continue after the next chapter has started.
    captions: [
      { from: 0, to: 5, slide: 1, text: 'First this.' },
      { from: 70, to: 75, slide: 1, text: 'Then that.' },
      { from: 3699, to: 3705, slide: 2, text: 'The end.' },
    ],
  }
  expect(transcript(talk, new Map([['go', 'nix run']]))).toBe(
    '# A talk\n\n- 0:00 One\n- 1:05 One: go\n- 1:01:40 Two\n\n## 0:00 One\n\nFirst this. Then that.\n\n## 1:05 One: go\n\n```sh\nnix run\n```\n\n## 1:01:40 Two\n\nThe end.\n',
  )
})

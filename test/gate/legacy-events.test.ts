/** Server-sent events read and written, whatever the chunks (MCP 2024-11-05 transports; catalogue ST-07, DS-02). */
import { describe, expect, it } from 'vitest'
import { createEventReader, renderEvent } from '../../src/gate/backends/legacy/events.ts'

const toBytes = (text: string) => new TextEncoder().encode(text)

function readWhole(text: string, limit?: number) {
  return createEventReader(limit)(toBytes(text))
}

/** The stream cut into pieces of `size` bytes. */
function readPieces(text: string, size: number) {
  const read = createEventReader()
  const bytes = toBytes(text)
  const starts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => index * size)
  return starts.flatMap((start) => read(bytes.subarray(start, start + size)))
}

const first = { type: 'endpoint', data: '/messages?sessionId=é€𝄞' }
const second = { type: 'message', data: '{"a":1,\n"b":2}', id: '7', retry: '250' }
const asLines = [
  'event: endpoint',
  `data: ${first.data}`,
  '',
  ': a comment',
  'id: 7',
  'retry: 250',
  'data:{"a":1,',
  'data: "b":2}',
  '',
  '',
]

describe('reading an event stream', () => {
  for (const [name, end] of [
    ['LF', '\n'],
    ['CR', '\r'],
    ['CRLF', '\r\n'],
  ] as const)
    it(`is the same in pieces of any size, with ${name} line ends and a byte order mark`, () => {
      const text = `\u{feff}${asLines.join(end)}`
      for (let size = 1; size < 20; size += 1)
        expect(readPieces(text, size), `pieces of ${size}`).toEqual([first, second])
      expect(readWhole(text)).toEqual([first, second])
    })

  it('drops comments, unknown fields, bad retry times and an unfinished event', () => {
    const text = ':\n\nfoo: bar\n\nretry: soon\n\ndata: x\nretry: 1e9\n\ndata: never finished\n'
    expect(readWhole(text)).toEqual([{ type: 'message', data: 'x' }])
  })

  it('keeps an id without data, and empty data apart from none', () => {
    expect(readWhole('id: 3\ndata\n\nid: 4\n\n')).toEqual([
      { type: 'message', data: '', id: '3' },
      { type: 'message', id: '4' },
    ])
  })

  it('refuses an event that is too long before it is complete (DS-02)', () => {
    expect(() => readWhole(`data: ${'x'.repeat(100)}`, 50)).toThrow(/too long/)
    expect(() => readWhole('data: x\n'.repeat(10), 50)).toThrow(/too long/)
    expect(() => readWhole(`: ${'x'.repeat(100)}`, 50)).toThrow(/too long/)
    expect(readWhole('data: x\n\n'.repeat(100), 50)).toHaveLength(100)
  })

  it('takes a long line in many chunks in time that grows with its length alone', () => {
    const read = createEventReader()
    const piece = toBytes('x'.repeat(1024))
    read(toBytes('data: '))
    for (let count = 0; count < 8192; count += 1) read(piece)
    expect(read(toBytes('\n\n'))[0]?.data).toHaveLength(8192 * 1024)
  })
})

describe('writing an event', () => {
  it('gives what is read again', () => {
    for (const event of [first, second]) expect(readWhole(renderEvent(event))).toEqual([event])
  })

  it('lets no value begin another field (ST-07)', () => {
    const event = {
      type: 'message\ndata: evil',
      data: 'a\r\nevent: endpoint\rdata: /evil',
      id: '1\nretry: 1',
    }
    expect(readWhole(renderEvent(event))).toEqual([
      { type: 'messagedata: evil', data: 'a\nevent: endpoint\ndata: /evil', id: '1retry: 1' },
    ])
  })
})

/** A notebook in one JSON file. */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'

const noteSchema = z.object({
  id: z.string(),
  title: z.string(),
  text: z.string(),
  /** ISO 8601. */
  createdAt: z.string(),
})

/** One note. */
export type Note = z.output<typeof noteSchema>

/** Keeps notes. */
export interface Notebook {
  /** Newest first. */
  list(): Promise<Note[]>
  find(id: string): Promise<Note | undefined>
  add(title: string, text: string): Promise<Note>
  /** Notes whose title or text contains the words, whatever their case. */
  search(words: string): Promise<Note[]>
}

const welcome = {
  title: 'Welcome',
  text: 'This note was read through Gatehouse: you signed in, agreed, and your client got a token.',
}

/** The notebook in a file, which is created with a first note in it. Writes are whole or not at all. */
export function createNotebook(path: string): Notebook {
  let last: Promise<unknown> = Promise.resolve()

  const read = async (): Promise<Note[]> => {
    const text = await readFile(path, 'utf8').catch(() => undefined)
    return text === undefined ? [] : z.array(noteSchema).parse(JSON.parse(text))
  }
  const write = async (notes: readonly Note[]): Promise<void> => {
    const draft = `${path}.draft`
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const text = `${JSON.stringify(notes, undefined, 2)}\n`
    await writeFile(draft, text, { mode: 0o600, flush: true })
    await rename(draft, path)
  }
  /** One after the other, so that no two writers start from the same list. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }
  const add = async (title: string, text: string): Promise<Note> => {
    const note = { id: randomUUID().slice(0, 8), title, text, createdAt: new Date().toISOString() }
    await write([note, ...(await read())])
    return note
  }

  // A notebook that cannot be read is told to whoever asks for it.
  inTurn(async () => {
    if ((await read()).length === 0) await add(welcome.title, welcome.text)
  }).catch(() => undefined)
  return {
    list: () => inTurn(read),
    find: async (id) => (await inTurn(read)).find((note) => note.id === id),
    add: (title, text) => inTurn(() => add(title, text)),
    async search(words) {
      const wanted = words.toLowerCase()
      const notes = await inTurn(read)
      return notes.filter(({ title, text }) => `${title}\n${text}`.toLowerCase().includes(wanted))
    },
  }
}

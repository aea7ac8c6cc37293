/** Lines of a text that comes in pieces. */

/**
 * A reader of one text: takes its pieces in order, and returns the lines that each one completes, without
 * their ends. A last line without an end never comes out.
 *
 * @param longest in characters; `whenLonger` says whether more is an error or is left away
 * @throws Error for a line that is longer, before it is complete
 */
export function createLineReader(
  longest: number,
  whenLonger: 'fail' | 'cut' = 'fail',
): (piece: string) => string[] {
  let held: string[] = []
  let length = 0
  const hold = (piece: string) => {
    const room = longest - length
    if (piece.length > room && whenLonger === 'fail')
      throw new Error(`A line has more than ${longest} characters`)
    if (room > 0) held.push(piece.slice(0, room))
    length += piece.length
  }
  return (piece) => {
    const [first = '', ...others] = piece.split('\n')
    hold(first)
    return others.map((next) => {
      const line = held.join('')
      held = []
      length = 0
      hold(next)
      return line.endsWith('\r') ? line.slice(0, -1) : line
    })
  }
}

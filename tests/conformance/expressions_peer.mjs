// Evaluates expressions with the npm package @actions/expressions: a line of JSON in, a line of JSON out.
// Its argument is the folder in which the package is installed.
import * as path from 'node:path'
import * as readline from 'node:readline'
import { pathToFileURL } from 'node:url'

const entry = path.join(process.argv[2], 'node_modules/@actions/expressions/dist/index.js')
const { Lexer, Parser, Evaluator, data } = await import(pathToFileURL(entry).href)

function toData(value) {
  if (value === null) return new data.Null()
  if (typeof value === 'string') return new data.StringData(value)
  if (typeof value === 'number') return new data.NumberData(value)
  if (typeof value === 'boolean') return new data.BooleanData(value)
  if (Array.isArray(value)) return new data.Array(...value.map(toData))
  return new data.Dictionary(...Object.entries(value).map(([key, each]) => ({ key, value: toData(each) })))
}

// Numbers travel as text: JSON has no NaN and no infinity.
function fromData(value) {
  switch (value.kind) {
    case data.Kind.Null:
      return null
    case data.Kind.Number:
      return { number: String(value.value + 0) }
    case data.Kind.Array:
      return value.values().map(fromData)
    case data.Kind.Dictionary:
      return { object: value.pairs().map((pair) => [pair.key, fromData(pair.value)]) }
    default:
      return value.value
  }
}

function answer({ expression, contexts }) {
  let stage = 'lexing'
  try {
    const tokens = new Lexer(expression).lex().tokens
    stage = 'parsing'
    const names = Object.keys(contexts)
    const tree = new Parser(tokens, names, []).parse()
    stage = 'evaluation'
    const value = tree === undefined ? new data.Null() : new Evaluator(tree, toData(contexts)).evaluate()
    return { value: fromData(value) }
  } catch (error) {
    return { stage, message: String(error.message) }
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write('\n>' + JSON.stringify(answer(JSON.parse(line))) + '\n')
}

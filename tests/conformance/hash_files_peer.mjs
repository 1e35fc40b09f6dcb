// Hashes files with the npm package @actions/glob as GitHub's runner does: JSON lines in, JSON lines out.
// Its argument is the folder in which the package is installed.
import * as crypto from 'node:crypto'
import * as fs from 'node:fs'
import * as path from 'node:path'
import * as readline from 'node:readline'
import { pathToFileURL } from 'node:url'

const entry = path.join(process.argv[2], 'node_modules/@actions/glob/lib/glob.js')
const glob = await import(pathToFileURL(entry).href)

const sha256 = (content) => crypto.createHash('sha256').update(content).digest()

async function answer({ root, home, patterns, follow }) {
  process.chdir(root)
  process.env.HOME = home
  try {
    const globber = await glob.create(patterns.join('\n'), { followSymbolicLinks: follow })
    const digests = []
    for await (const file of globber.globGenerator()) {
      if (!file.startsWith(root + path.sep) || fs.statSync(file).isDirectory()) continue
      digests.push(sha256(fs.readFileSync(file)))
    }
    return { digest: digests.length ? sha256(Buffer.concat(digests)).toString('hex') : '' }
  } catch (error) {
    return { message: String(error.message) }
  }
}

// The package writes workflow commands to the same stream: answers are told apart by their first letter.
for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write('\n>' + JSON.stringify(await answer(JSON.parse(line))) + '\n')
}

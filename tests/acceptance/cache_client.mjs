// Does what actions do with caches, with the real client: node cache_client.mjs FOLDER OPERATIONS
// OPERATIONS is a JSON list of [function, ...arguments] of @actions/cache in FOLDER's node_modules,
// or of ["remove", path]. Prints their results as the last line.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, operations] = process.argv.slice(2);
const main = path.join(folder, 'node_modules', '@actions', 'cache', 'lib', 'cache.js');
const loaded = await import(pathToFileURL(main));
const cache = loaded.default ?? loaded;
const results = [];
for (const [name, ...rest] of JSON.parse(operations)) {
  if (name === 'remove') {
    fs.rmSync(rest[0], { recursive: true });
    continue;
  }
  results.push((await cache[name](...rest)) ?? null);
}
console.log(JSON.stringify(results));

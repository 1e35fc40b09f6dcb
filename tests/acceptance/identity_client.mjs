// Asks who the job is, as actions do: node identity_client.mjs FOLDER AUDIENCE
// @actions/core lies in FOLDER's node_modules. Prints the token as the last line.
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, audience] = process.argv.slice(2);
const lib = path.join(folder, 'node_modules', '@actions', 'core', 'lib', 'core.js');
const loaded = await import(pathToFileURL(lib));
const core = loaded.default ?? loaded;
try {
  console.log(await core.getIDToken(audience || undefined));
} catch (error) {
  console.log(`refused: ${error.message}`);
}

// Drives @actions/artifact as actions do: node artifact_client.mjs PACKAGES '[[COMMAND, ARGUMENT...]...]'
// Prints a line for each command that begins with RESULT and holds JSON.
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const [packages, calls] = process.argv.slice(2);
const entry = path.join(packages, 'node_modules', '@actions', 'artifact', 'lib', 'artifact.js');
const found = await import(pathToFileURL(entry));
const Client = found.DefaultArtifactClient ?? found.default.DefaultArtifactClient;
const client = new Client();

const commands = {
  async upload(name, root, options, ...files) {
    return client.uploadArtifact(name, files, root, options);
  },
  async list() {
    return client.listArtifacts();
  },
  async get(name) {
    return client.getArtifact(name);
  },
  async download(name, place, options) {
    const { artifact } = await client.getArtifact(name);
    return client.downloadArtifact(artifact.id, { path: place, ...options });
  },
  async remove(name) {
    return client.deleteArtifact(name);
  },
};

for (const [command, ...rest] of JSON.parse(calls)) {
  let result;
  try {
    result = await commands[command](...rest);
  } catch (error) {
    result = { error: error.message };
  }
  console.log(`RESULT ${JSON.stringify(result)}`);
}

// Drives octokit as actions do: node octokit_client.mjs PACKAGES PACKAGE TOKEN '[[WHAT, ARGUMENT...]...]'
// WHAT is `request`, `paginate` or a method (`repos.get`); `upload` sends an asset.
// Prints a line for each that begins with RESULT and holds JSON.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import fs from 'node:fs';

const [packages, name, token, calls] = process.argv.slice(2);
const baseUrl = process.env.GITHUB_API_URL;

async function load() {
  const folder = path.join(packages, 'node_modules', name);
  const about = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const told = about.exports?.['.'] ?? about.exports;
  const entry = told?.import ?? told?.default ?? about.main;
  const file = path.join(folder, typeof entry === 'string' ? entry : entry.default);
  try {
    return await import(pathToFileURL(file));
  } catch {
    return createRequire(import.meta.url)(folder);
  }
}

const found = await load();
const log = { debug() {}, info() {}, warn() {}, error() {} };
const octokit =
  name === '@actions/github'
    ? (found.getOctokit ?? found.default.getOctokit)(token)
    : new (found.Octokit ?? found.default.Octokit)({ auth: token, baseUrl, log });
const rest = octokit.rest ?? octokit;

function method(dotted) {
  return dotted.split('.').reduce((at, part) => at[part], rest);
}

async function call([what, ...rest]) {
  if (what === 'request') return octokit.request(...rest);
  if (what === 'paginate') return { data: await octokit.paginate(method(rest[0]), rest[1]) };
  if (what === 'graphql') return { data: await octokit.graphql(...rest) };
  if (what === 'buffer') {
    const got = await octokit.request(...rest);
    return { status: got.status, url: got.url, data: Buffer.from(got.data).toString('hex') };
  }
  return method(what)(...rest);
}

for (const each of JSON.parse(calls)) {
  let result;
  try {
    const { status, data, headers, url } = await call(each);
    result = { status, data, headers, url };
  } catch (error) {
    result = { error: error.message, status: error.status, data: error.response?.data };
  }
  console.log(`RESULT ${JSON.stringify(result)}`);
}

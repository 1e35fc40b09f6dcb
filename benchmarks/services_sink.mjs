// Answers the protocols of artifacts and of caches, throws away what comes, and sends one file: what
// the client itself costs. node services_sink.mjs ARCHIVE SHA256; prints its address.
import fs from 'node:fs';
import http from 'node:http';

const [archive, digest] = process.argv.slice(2);
const size = fs.statSync(archive).size;

// What a method of a Twirp service, or of the first cache protocol, answers.
function records(base) {
  const upload = `${base}/blob/container/put?a=b`;
  const download = `${base}/blob/container/get?a=b`;
  const ids = { workflow_run_backend_id: '77', workflow_job_run_backend_id: '1' };
  const made = { database_id: '1', name: 'data', size: `${size}`, created_at: '2026-01-01T00:00:00Z' };
  return {
    CreateArtifact: [200, { ok: true, signed_upload_url: upload }],
    FinalizeArtifact: [200, { ok: true, artifact_id: '1' }],
    ListArtifacts: [200, { artifacts: [{ ...ids, ...made, digest: `sha256:${digest}` }] }],
    GetSignedArtifactURL: [200, { signed_url: download }],
    CreateCacheEntry: [200, { ok: true, signed_upload_url: upload }],
    FinalizeCacheEntryUpload: [200, { ok: true, entry_id: '1' }],
    GetCacheEntryDownloadURL: [200, { ok: true, signed_download_url: download, matched_key: 'k' }],
    cache: [200, { cacheKey: 'k', archiveLocation: download }],
    caches: [201, { cacheId: 1 }],
  };
}

function answer(request, response) {
  const name = request.url.split('?')[0].split('/').pop();
  const record = records(`http://${request.headers.host}`)[name];
  if (record !== undefined) {
    response.writeHead(record[0], { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(record[1]));
  } else if (request.method === 'GET') {
    response.writeHead(200, { 'Content-Length': size, 'Content-Type': 'application/zip' });
    fs.createReadStream(archive, { highWaterMark: 1 << 19 }).pipe(response);
  } else {
    response.writeHead(request.method === 'PUT' ? 201 : 204).end();
  }
}

const server = http.createServer((request, response) => {
  request.resume();
  request.on('end', () => answer(request, response));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));

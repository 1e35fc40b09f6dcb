// Answers the artifact service's protocol, throws away what comes, and sends one file: what the client
// itself costs. node artifact_sink.mjs ARCHIVE SHA256; prints its address.
import fs from 'node:fs';
import http from 'node:http';

const [archive, digest] = process.argv.slice(2);
const size = fs.statSync(archive).size;

function methods(base) {
  const ids = { workflow_run_backend_id: '77', workflow_job_run_backend_id: '1' };
  const made = { database_id: '1', name: 'data', size: `${size}`, created_at: '2026-01-01T00:00:00Z' };
  return {
    CreateArtifact: { ok: true, signed_upload_url: `${base}/blob/container/put?a=b` },
    FinalizeArtifact: { ok: true, artifact_id: '1' },
    ListArtifacts: { artifacts: [{ ...ids, ...made, digest: `sha256:${digest}` }] },
    GetSignedArtifactURL: { signed_url: `${base}/blob/container/get?a=b` },
  };
}

function answer(request, response) {
  const record = methods(`http://${request.headers.host}`)[request.url.split('/').pop()];
  if (record !== undefined) {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(record));
  } else if (request.method === 'GET') {
    response.writeHead(200, { 'Content-Length': size, 'Content-Type': 'application/zip' });
    fs.createReadStream(archive, { highWaterMark: 1 << 19 }).pipe(response);
  } else {
    response.writeHead(201).end();
  }
}

const server = http.createServer((request, response) => {
  request.resume();
  request.on('end', () => answer(request, response));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));

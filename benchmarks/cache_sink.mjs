// Answers both protocols of caches, throws away what comes, and sends one file: what the client itself
// costs. node cache_sink.mjs ARCHIVE; prints its address.
import fs from 'node:fs';
import http from 'node:http';

const archive = process.argv[2];
const size = fs.statSync(archive).size;

function told(response, status, record) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(record === undefined ? undefined : JSON.stringify(record));
}

function answer(request, response) {
  const base = `http://${request.headers.host}`;
  const path = request.url.split('?')[0];
  if (request.method === 'GET' && path === '/blob/container/get') {
    response.writeHead(200, { 'Content-Length': size, 'Content-Type': 'application/octet-stream' });
    fs.createReadStream(archive, { highWaterMark: 1 << 19 }).pipe(response);
  } else if (path.endsWith('/GetCacheEntryDownloadURL')) {
    told(response, 200, { ok: true, signed_download_url: `${base}/blob/container/get?a=b`, matched_key: 'k' });
  } else if (path.endsWith('/CreateCacheEntry')) {
    told(response, 200, { ok: true, signed_upload_url: `${base}/blob/container/put?a=b` });
  } else if (path.endsWith('/FinalizeCacheEntryUpload')) {
    told(response, 200, { ok: true, entry_id: '1' });
  } else if (path.endsWith('/_apis/artifactcache/cache')) {
    told(response, 200, { cacheKey: 'k', archiveLocation: `${base}/blob/container/get?a=b` });
  } else if (path.endsWith('/_apis/artifactcache/caches')) {
    told(response, 201, { cacheId: 1 });
  } else {
    told(response, request.method === 'PUT' ? 201 : 204);
  }
}

const server = http.createServer((request, response) => {
  request.resume();
  request.on('end', () => answer(request, response));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));

const c = require('crypto');
console.log(c.createHash('sha256').update('x').digest('hex'), c.randomBytes(8).length, c.randomUUID().length);
c.pbkdf2('p', 's', 10, 16, 'sha1', (e, k) => console.log(k.toString('hex')));
console.log(require('zlib').gunzipSync(require('zlib').gzipSync('zipped')).toString());

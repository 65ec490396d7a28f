const fs = require('fs');
fs.writeFileSync('m.mjs', 'export default import.meta.url; export const x = 1; export const u = typeof module;');
import('./m.mjs').then((m) => console.log(m));
import('fs').then((m) => console.log(Object.keys(m).length > 50));
import('./nothing.mjs').catch((e) => console.log(e.code, e.message));

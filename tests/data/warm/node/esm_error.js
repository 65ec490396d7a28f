require('fs').writeFileSync('m.mjs', 'export const a = 1;\nfunction f() { throw new Error("in a module"); }\nawait null;\nf();\n');
import('./m.mjs');

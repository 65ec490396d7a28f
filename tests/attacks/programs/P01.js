// Node has no fork of its own: each child is this program once more.  Many die for want of a thread, at length.
const { spawn } = require('child_process');
const { writeSync } = require('fs');
let told = false;
function more() {
  for (let i = 0; i < 8; i++)
    try {
      spawn(process.execPath, [__filename], { stdio: ['ignore', 'inherit', 'ignore'] }).on('error', tell);
    } catch (e) {
      tell(e);
    }
  setTimeout(more, 1);
}
function tell(e) {
  if (!told) writeSync(1, 'fork: ' + e.code + '\n');
  told = true;
}
more();

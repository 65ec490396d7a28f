require('child_process').exec('echo out; echo err >&2; exit 5', (e, out, err) => console.log(e.code, e.message, out, err));

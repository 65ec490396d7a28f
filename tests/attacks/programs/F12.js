const fs = require("fs");
let made = 0, seen = 0;
function walk(directory) {
    let names = [];
    try { names = fs.readdirSync(directory, {withFileTypes: true}); } catch (e) { }
    for (const n of names) {
        if (n.name.startsWith("MARKER")) seen++;
        if (n.isDirectory()) walk(directory + "/" + n.name);
    }
    try { fs.closeSync(fs.openSync(directory + "/MARKER", "wx")); made++; } catch (e) { }
}
for (const top of ["/box", "/tmp", "/dev", "/run", "/var", "/etc", "/home", "/root", "/opt", "/srv", "/mnt"]) walk(top);
console.log("made", made >= 2 ? "some" : "none");
console.log("seen", seen);

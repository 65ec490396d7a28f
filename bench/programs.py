"""What is submitted, and the same work by hand."""

import json
import pathlib
import shutil

COUNTER = "@" * 12  # bench-client puts a number there that no other request has

HELLO = {
    "python": (71, 'print("hello")  # %s\n' % COUNTER),
    "node": (63, 'console.log("hello"); // %s\n' % COUNTER),
    "java": (62, 'public class Main { // %s\n    public static void main(String[] args) {\n'
                 '        System.out.println("hello");\n    }\n}\n' % COUNTER),
    "c_new": (50, '#include <stdio.h>\n/* %s */\nint main(void)\n{\n    puts("hello");\n    return 0;\n}\n' % COUNTER),
    "c_known": (50, '#include <stdio.h>\nint main(void)\n{\n    puts("hello");\n    return 0;\n}\n'),
}
NAMES = {"python": "Python", "node": "Node.js", "java": "Java", "c_new": "C, new source", "c_known": "C, known source"}
EXPECT = ['"status":"completed"', '"stdout":"hello\\n"']
ROOT = pathlib.Path(__file__).resolve().parents[1]


class Hello:
    """One of the programs above as a file of requests, and as files for who does it by hand."""

    def __init__(self, key, work):
        self.key = key
        self.language, source = HELLO[key]
        directory = work / key
        directory.mkdir(parents=True, exist_ok=True)
        self.bodies = directory / "bodies"
        self.bodies.write_text(json.dumps({"language_id": self.language, "source_code": source}) + "\n")
        file = directory / {71: "hello.py", 63: "hello.js", 62: "Main.java", 50: "hello.c"}[self.language]
        file.write_text(source)
        program = str(directory / "hello")
        self.bare = {
            71: ["/usr/bin/python3", "-I", str(file)],
            63: ["/usr/bin/node", str(file)],
            62: ["javac", "-d", str(directory), str(file), ";", "java", "-cp", str(directory), "Main"],
            50: ["gcc", "-O2", "-o", program, str(file), ";", program],
        }[self.language]
        self.directory = directory

    def shell(self, index):
        """The same for a shell that does nothing else; two of them must not write one file."""
        own = self.directory / ("shell%d" % index)
        own.mkdir(exist_ok=True)
        words = [w.replace(str(self.directory), str(own)) for w in self.bare]
        for file in self.directory.iterdir():
            if file.is_file():
                shutil.copy(file, own)
        return "while :; do %s || exit 1; done" % " ".join("&&" if w == ";" else w for w in words)


def data():
    """The programs of tests/data, by language."""
    programs = [json.loads(line) for line in open(ROOT / "tests/data/programs.jsonl")]
    return ([p for p in programs if p["language_id"] == 71], [p for p in programs if p["language_id"] == 63])

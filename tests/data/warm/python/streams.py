import sys
for s in (sys.stdin, sys.stdout, sys.stderr):
    b, r = s.buffer, s.buffer.raw
    print(s, s.name, s.mode, s.encoding, s.errors, s.newlines, s.line_buffering, s.write_through, s.isatty(), s.seekable(), s.readable(), s.writable(), s.fileno())
    print(type(b), b.name, b.mode, b.seekable(), type(r), r.name, r.mode, r.closefd, r.seekable(), r._blksize, r.fileno())
print(sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__)
print(sys.stdin.tell(), sys.stdin.buffer.tell())
for s in (sys.stdout, sys.stderr):
    try:
        s.tell()
    except OSError as e:
        print(type(e), e)

"""Keeps taking the pids that were just freed: argv[1] processes at once, each replaced after a moment.

Runs beside a server, outside of the cells.  Ends when its stdin does, and prints how many decoys there were and how
many of them did not end as they were told to.
"""
import os
import select
import sys
import time

living, made, struck, low = [], 0, 0, 0
end = False
while not end or living:
    end = end or bool(select.select([0], [], [], 0)[0])
    while not end and len(living) < int(sys.argv[1]):
        r, w = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(w)
            for _, other in living:
                os.close(other)
            os._exit(0 if os.read(r, 1) == b"" else 1)
        os.close(r)
        living.append((pid, w))
        made += 1
        low += made > 1 and pid < last
        last = pid
    time.sleep(0.002)
    pid, w = living.pop(0)
    os.close(w)
    struck += os.waitpid(pid, 0)[1] != 0
print("made %d struck %d wrapped %d" % (made, struck, low))

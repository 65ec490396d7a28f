import sys
import threading


def trace(frame, event, arg):
    frame.f_trace_opcodes = True
    return trace


threading.settrace(trace)
sys.settrace(trace)
sys.setprofile(lambda *a: None)
sys.setswitchinterval(1e-9)
ts = [threading.Thread(target=lambda: sum(range(1000))) for _ in range(4)]
[t.start() for t in ts]
[t.join() for t in ts]
print("traced")

import time
print(time.process_time() < 1, time.thread_time() < 1, time.monotonic() > 0, time.perf_counter() > 0, time.tzname, time.localtime().tm_zone)
b = time.perf_counter(); time.sleep(0.02); print(time.perf_counter() - b >= 0.02)
import os
t = os.times(); print(t.user < 1, t.system < 1, t.children_user, t.children_system)

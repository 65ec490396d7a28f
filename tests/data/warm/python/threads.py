import threading
print(threading.current_thread(), threading.main_thread() is threading.current_thread(), threading.active_count())
print(threading.get_ident() == threading.main_thread().ident, threading.get_native_id() > 0, threading.stack_size())
done = []
def work(n): done.append(n * n)
ts = [threading.Thread(target=work, args=(i,)) for i in range(5)]
for t in ts: t.start()
for t in ts: t.join()
print(sorted(done), [t.name for t in ts])

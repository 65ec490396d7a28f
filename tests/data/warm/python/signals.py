import signal
print({s.name: signal.getsignal(s) for s in signal.valid_signals() if isinstance(s, signal.Signals) and signal.getsignal(s) not in (signal.SIG_DFL, None)})
print(signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getitimer(signal.ITIMER_REAL))
signal.signal(signal.SIGUSR1, lambda n, f: print("got", n, f.f_lineno))
signal.raise_signal(signal.SIGUSR1)
signal.signal(signal.SIGALRM, lambda n, f: print("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.05)
signal.pause()

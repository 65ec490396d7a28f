import sys
sys.excepthook = lambda t, v, tb: print("hooked", t.__name__, v, tb.tb_lineno)
1/0

import io, sys
class Tee(io.StringIO):
    def flush(self): sys.__stdout__.write("<flush>")
    def __del__(self): sys.__stdout__.write("<del>")
sys.stdout = Tee()
print("hidden")
sys.__stdout__.write(sys.stdout.getvalue())

import subprocess, sys
print(subprocess.run(["/bin/sh", "-c", "echo out; echo err >&2; exit 3"], capture_output=True))
print(subprocess.run([sys.executable, "-c", "import sys; print(sys.argv, sys.path, list(sys.modules), sys.stdin.read())", "x"], input="given", capture_output=True, text=True))
print(subprocess.check_output("echo $0 $HOME $PWD; ls /proc/self/fd | wc -l", shell=True, text=True))

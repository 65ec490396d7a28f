mkfifo out

# keep: out
# A terabyte is refused by the limit of a file; what is left is sparse, as large as it may be.
truncate -s 1T out && echo grown
truncate -s 33554432 out && echo full
chmod 755 out
truncate -s 33554433 out && echo over
exit 0

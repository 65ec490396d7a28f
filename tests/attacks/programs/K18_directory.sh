# keep: out
mkdir out
echo inside > out/file

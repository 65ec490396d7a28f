# keep: out
mkdir out
echo inside > out/file
ln -s /etc/shadow out/link

# keep: d/passwd
ln -s /etc d

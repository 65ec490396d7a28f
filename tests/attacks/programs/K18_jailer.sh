ln -s @JAILER@ out

cat > main.c <<'END'
@SETUID@
END
gcc -o out main.c && chmod 6755 out && stat -c 'made %a' out

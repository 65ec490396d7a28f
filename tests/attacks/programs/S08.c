int main(void)
{
    CALL(add_key, "user", "channel", "1", 1, -3 /* the session's */);
    TRY("add_key-user", syscall(SYS_add_key, "user", "channel", "1", 1, -4));
    CALL(request_key, "user", "channel", NULL, -3);
    CALL(keyctl, 0, -3, 1);
    TRY("keyctl-join", syscall(SYS_keyctl, 1, NULL));
    TRY("keyctl-persistent", syscall(SYS_keyctl, 22, -1, -3));
    FILE *f = fopen("/proc/keys", "r");
    char line[300];
    int keys = 0;
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        keys++;
    SAY("keys %d\n", keys);
}

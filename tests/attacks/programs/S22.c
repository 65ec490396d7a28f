extern char **environ;
int main(void)
{
    CALL(memfd_create, "x", 0);
    TRY("memfd_create-hugetlb", syscall(SYS_memfd_create, "x", 4));
    CALL(memfd_secret, 0);
    int fd = open("/bin/true", O_PATH);
    char *argv[] = {"true", NULL};
    CALL(execveat, fd, "", argv, environ, AT_EMPTY_PATH);
    CALL(pkey_alloc, 0, 0);
    CALL(pkey_free, 0);
    CALL(pkey_mprotect, 0, 0, 0, 0);
    CALL(landlock_create_ruleset, NULL, 0, 1);
    CALL(landlock_add_rule, 0, 1, NULL, 0);
    CALL(landlock_restrict_self, 0, 0);
    fd = open("/bin/true", O_RDONLY);
    TRY_APART("fexecve", fexecve(fd, argv, environ)); /* libc goes by /proc/self/fd: a plain execve */
}

int main(void)
{
    int deep = 0;
    for (; deep < 100000; deep++)
        if (mkdir("x", 0700) != 0 || chdir("x") != 0)
            break;
    SAY("end %s\ndeep %d\n", strerrorname_np(errno), deep);
    char cwd[PATH_MAX];
    SAY("getcwd %s\n", getcwd(cwd, sizeof(cwd)) == NULL ? strerrorname_np(errno) : "ok");
    return 1;
}

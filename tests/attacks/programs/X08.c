int main(void)
{
    TRY("rename", rename("/box", "/tmp/box"));
    TRY("rename-root", rename("/box", "/box2"));
    TRY("rmdir", rmdir("/box"));
    TRY("symlink", symlink("/", "/box"));
    TRY("exchange", syscall(SYS_renameat2, AT_FDCWD, "/box", AT_FDCWD, "/tmp", 2));
    TRY("into-itself", rename("/box", "/box/below"));
    TRY("unlink", unlink("/box"));
    TRY("chmod", chmod("/box", 0)); /* its own: harmless */
    TRY("chmod-back", chmod("/box", 0755));
    TRY("write", open("/box/file", O_CREAT | O_WRONLY, 0644));
}

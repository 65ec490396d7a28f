int main(void)
{
    struct { unsigned bytes; int type; char h[128]; } handle = {128};
    int id;
    CALL(name_to_handle_at, AT_FDCWD, "/box", &handle, &id, 0);
    CALL(open_by_handle_at, AT_FDCWD, &handle, O_RDONLY);
    CALL(fanotify_init, 0, O_RDONLY);
    TRY("fanotify_init-fid", syscall(SYS_fanotify_init, 0x200, O_RDONLY));
    CALL(fanotify_mark, 0, 1, 1, AT_FDCWD, "/box");
    CALL(inotify_init1, 0);
#ifdef SYS_lookup_dcookie
    CALL(lookup_dcookie, 1, handle.h, 10);
#endif
}

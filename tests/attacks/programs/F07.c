#include <linux/fs.h>
int main(void)
{
    char path[PATH_MAX] = "tree";
    for (int i = 0; i < 20; i++) {
        mkdir(path, 0700);
        char file[PATH_MAX + 8];
        snprintf(file, sizeof(file), "%s/file", path);
        close(open(file, O_CREAT | O_WRONLY, 0));
        strcat(path, "/d");
    }
    int fd = open("tree/file2", O_CREAT | O_RDWR, 0600), flags = FS_IMMUTABLE_FL | FS_APPEND_FL;
    TRY("setflags", ioctl(fd, FS_IOC_SETFLAGS, &flags));
    TRY("fssetxattr", ioctl(fd, FS_IOC_FSSETXATTR, (char[64]){0}));
    TRY("chown", chown("tree/file2", 0, 0));
    TRY("lchown", lchown("tree", 12345, 12345));
    char *slash;
    while ((slash = strrchr(path, '/')) != NULL) {
        *slash = '\0';
        chmod(path, 0);
    }
    TRY("open", open("tree/file", O_RDONLY));
    TRY("chmod-box", chmod("/box", 0));
}

/* filters.c - run when execd is built: writes every profile's filter as C, for execd-init. */
#include <inttypes.h>
#include <linux/filter.h>

#include "cell/cell_seccomp.h"
#include "cell/cell_wire.h"

static void print_filter(int profile, const struct cell_filter *f)
{
    printf("static const struct sock_filter filter_%d[] = {\n", profile);
    for (unsigned i = 0; i < f->len; i++)
        printf("    {0x%02x, %u, %u, 0x%08" PRIx32 "},\n", f->code[i].code, f->code[i].jt, f->code[i].jf,
               f->code[i].k);
    printf("};\n");
}

int main(void)
{
    puts("/* Made by filters.c from cell_seccomp_lists.c. */\n#include <linux/filter.h>\n\n#include "
         "\"init.h\"\n");
    for (int p = 1; p <= CELL_PROFILES; p++) {
        struct cell_filter f = {0};
        struct err err = {0};

        if (cell_seccomp_build((enum cell_profile)p, &f, &err) != 0) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        print_filter(p, &f);
        cell_seccomp_done(&f);
    }
    puts("\nconst struct cell_filter *init_filter(unsigned profile)\n{\n"
         "    static const struct cell_filter filters[CELL_PROFILES] = {");
    for (int p = 1; p <= CELL_PROFILES; p++)
        printf("        {COUNT_OF(filter_%d), filter_%d},\n", p, p);
    puts("    };\n\n    return &filters[profile - 1];\n}");
    return fflush(stdout) == 0 ? 0 : 1;
}

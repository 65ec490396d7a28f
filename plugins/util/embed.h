/* embed.h - a file of the build as bytes of a program: EMBED(name, "path"); ... EMBEDDED(name). */
#ifndef EMBED_H
#define EMBED_H

#include <execd/plugin.h>

#define EMBED(name, path)                                                                                    \
    __asm__(".pushsection .rodata\n"                                                                         \
            ".globl embed_" #name "_begin\n.hidden embed_" #name "_begin\n"                                  \
            ".globl embed_" #name "_end\n.hidden embed_" #name "_end\n"                                      \
            "embed_" #name "_begin:\n.incbin \"" path "\"\n"                                                 \
            "embed_" #name "_end:\n.popsection\n");                                                          \
    extern const char embed_##name##_begin[] __attribute__((visibility("hidden")));                          \
    extern const char embed_##name##_end[] __attribute__((visibility("hidden")))

#define EMBEDDED(name)                                                                                       \
    ((struct execd_bytes){embed_##name##_begin, (uint64_t)(embed_##name##_end - embed_##name##_begin)})

#endif

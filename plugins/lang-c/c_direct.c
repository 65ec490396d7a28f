/* c_direct.c - gcc's own steps without gcc.
 *
 * Theory of operation.  `gcc main.c -o main` runs cc1, as and collect2, which runs ld: the driver, collect2
 * and the plugin for link-time optimisation cost a seventh of a small program's compilation.  `gcc -###`
 * prints these steps.  They are read once, at start, word by word; if each word is one of those whose meaning
 * is known, a shell script runs the three programs with these words, and otherwise the driver goes on being
 * run.
 *
 * What differs from the driver: cc1 pipes into as, so that both cores work; collect2 and the plugin, which
 * without link-time optimisation do nothing, are left out; the linker is gold if it is there and the flags
 * name no other.
 *
 * What users see must be what the driver shows.  cc1 itself says what it thinks of a source, so its words go
 * where they always go.  If as or the linker fails, or says a word, that is dropped, and the driver
 * links the object (or does all of it again): an error of the linker costs more time and reads as ever.  gold
 * speaks up wherever ld does, but for sections and symbols that a source makes by hand: such sources take
 * the driver (c_direct_fits()). */
#include "c_direct.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 3, WORDS_MAX = 192, FOLDERS_MAX = 64, SCRIPT_MAX = 32 << 10 };

#define OBJECT "/tmp/ccdirect.o" /* as the driver could call it */

const char c_direct_probe[] =
    "v=$(\"$0\" --version) || exit\n"
    "[ -n \"$v\" ] || exit 0\n" /* it is what stderr has */
    "printf '%s\\n' \"$v\"\n"
    "for p in as ld ld.gold; do\n"
    "    printf '@%s %s\\n' \"$p\" \"$(command -v \"$(\"$0\" -print-prog-name=$p 2>&1)\")\"\n"
    "done\n"
    "\"$0\" -### \"$@\" 2>&1\n"
    "set -f\n"
    "for w in $(\"$0\" -### \"$@\" 2>&1); do\n"
    "    case $w in -L/*) printf '@folder %s %s\\n' \"$w\" \"$(cd \"${w#-L}\" 2>/dev/null && pwd -P)\" ;; "
    "esac\n"
    "done\n"
    "exit 0\n";

/* ---- reading what the driver said ------------------------------------------------------- */

struct folder {
    const char *word, *real; /* "-L/lib/../lib", "/usr/lib" */
};

struct reader {
    char *text; /* a copy, cut into words in place */
    char *as, *ld, *gold;
    struct folder folders[FOLDERS_MAX];
    size_t folder_count;
    char *steps[STEPS]; /* lines */
    int step_count;
    const char *words[WORDS_MAX + 1]; /* of the step that is looked at */
    const char *assembly, *object;    /* the driver's temporary files */
    char *why;
    size_t why_size;
};

static int refuse(struct reader *r, const char *what, const char *word)
{
    snprintf(r->why, r->why_size, "%s%s%.80s", what, word[0] == '\0' ? "" : ": ", word);
    return -1;
}

static int starts(const char *word, const char *with)
{
    return strncmp(word, with, strlen(with)) == 0;
}

static int ends(const char *word, const char *with)
{
    size_t n = strlen(word), m = strlen(with);

    return n >= m && strcmp(word + n - m, with) == 0;
}

static int is_program(const char *path)
{
    return path != NULL && path[0] == '/' && strchr(path, '\'') == NULL;
}

/* "-L/lib/../lib /usr/lib" */
static void add_folder(struct reader *r, char *line)
{
    char *blank = strchr(line, ' ');

    if (blank == NULL || blank[1] != '/' || r->folder_count == FOLDERS_MAX)
        return;
    *blank = '\0';
    r->folders[r->folder_count++] = (struct folder){line, blank + 1};
}

/* Lines that begin with a blank are commands, those with @ the probe's; the rest is talk. */
static int read_lines(struct reader *r)
{
    char *line = r->text, *next;

    for (; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (starts(line, "@as "))
            r->as = line + 4;
        else if (starts(line, "@ld "))
            r->ld = line + 4;
        else if (starts(line, "@ld.gold "))
            r->gold = line + 9;
        else if (starts(line, "@folder "))
            add_folder(r, line + 8);
        else if (line[0] == ' ' && r->step_count == STEPS)
            return refuse(r, "the driver takes more than three steps", "");
        else if (line[0] == ' ')
            r->steps[r->step_count++] = line;
    }
    if (r->step_count != STEPS)
        return refuse(r, "the driver takes fewer than three steps", "");
    return 0;
}

/* One word in place: bare, or between quotes where a backslash takes the next as it is.  The rest of the
 * line, or NULL for what the driver does not write. */
static char *read_word(char *at, const char **ret)
{
    char *out = at;
    int quoted = *at == '"';

    *ret = at;
    at += quoted;
    while (*at != '\0' && (quoted ? *at != '"' : *at != ' ')) {
        if (quoted && *at == '\\')
            at++;
        if ((unsigned char)*at < 0x20 || *at == '\'' || (!quoted && (*at == '"' || *at == '\\')))
            return NULL;
        *out++ = *at++;
    }
    if (quoted && *at++ != '"')
        return NULL;
    if (*at != '\0' && *at != ' ')
        return NULL;
    if (*at == ' ')
        *at++ = '\0';
    *out = '\0';
    return at;
}

static int read_words(struct reader *r, int step)
{
    char *at = r->steps[step];
    int n = 0;

    while (*(at += strspn(at, " ")) != '\0') {
        if (n == WORDS_MAX)
            return refuse(r, "a step of the driver has too many words", "");
        if ((at = read_word(at, &r->words[n++])) == NULL)
            return refuse(r, "a step of the driver has a word that cannot be read", r->words[n - 1]);
    }
    r->words[n] = NULL;
    return n > 0 ? 0 : refuse(r, "a step of the driver is empty", "");
}

/* ---- the script -------------------------------------------------------------------------- */

struct text {
    char bytes[SCRIPT_MAX];
    size_t len;
    int full;
};

struct script {
    struct text text;
    struct text steps; /* the words of its programs, a line each, and an empty one after each program's */
    int in_steps;
    size_t rest; /* where the end of the script begins that is for what went wrong */
};

static void text_put(struct text *t, const char *text)
{
    size_t n = strlen(text);

    if (t->full || n >= sizeof(t->bytes) - t->len) {
        t->full = 1;
        return;
    }
    memcpy(t->bytes + t->len, text, n + 1);
    t->len += n;
}

static void put(struct script *s, const char *text)
{
    text_put(&s->text, text);
}

/* No word has a quote or a line's end in it: see read_word() and c_direct_learn(). */
static void put_word(struct script *s, const char *word)
{
    put(s, " '");
    put(s, word);
    put(s, "'");
    if (s->in_steps) {
        text_put(&s->steps, word);
        text_put(&s->steps, "\n");
    }
}

/* Whatever the compiler was told; only its files are looked at. */
static int put_cc1(struct reader *r, struct script *s)
{
    int sources = 0;

    if (r->words[0][0] != '/' || !ends(r->words[0], "/cc1"))
        return refuse(r, "the first step is not cc1", r->words[0]);
    for (const char *const *w = r->words; *w != NULL; w++) {
        if (strcmp(*w, "-o") == 0 && w[1] != NULL && r->assembly == NULL && starts(w[1], "/tmp/")) {
            r->assembly = *++w;
            continue;
        }
        if (starts(*w, "/tmp/") || strcmp(*w, "|") == 0 || starts(*w, "-flto") || starts(*w, "-fdump") ||
            starts(*w, "@"))
            return refuse(r, "cc1 gets a word that is not expected", *w);
        sources += strcmp(*w, "main.c") == 0 && (w == r->words || strcmp(w[-1], "-dumpbase") != 0);
        put_word(s, *w);
    }
    if (r->assembly == NULL || sources != 1)
        return refuse(r, "cc1 does not make one file of one source", "");
    put_word(s, "-o");
    put_word(s, "-");
    return 0;
}

static int put_as(struct reader *r, struct script *s)
{
    static const char *const known[] = {"--64", "--32", "--x32", "-EL", "-EB"};
    int files = 0;

    if (!ends(r->words[0], "/as") && strcmp(r->words[0], "as") != 0)
        return refuse(r, "the second step is not as", r->words[0]);
    put_word(s, r->as);
    for (const char *const *w = r->words + 1; *w != NULL; w++) {
        int fine = starts(*w, "--gdwarf-") || starts(*w, "-march=") || starts(*w, "-mabi=");

        if (strcmp(*w, "-o") == 0 && w[1] != NULL && r->object == NULL && starts(w[1], "/tmp/")) {
            r->object = *++w;
            continue;
        }
        if (strcmp(*w, r->assembly) == 0) {
            files++;
            continue;
        }
        for (size_t i = 0; !fine && i < sizeof(known) / sizeof(known[0]); i++)
            fine = strcmp(*w, known[i]) == 0;
        if (!fine)
            return refuse(r, "as gets a word that is not expected", *w);
        put_word(s, *w);
    }
    put_word(s, "-o");
    put_word(s, OBJECT);
    return r->object != NULL && files == 1 ? 0 : refuse(r, "as does not make one object of one file", "");
}

/* 1: handed on; 2: with the word after it; 0: unknown. */
static int linker_word(const char *word)
{
    static const char *const alone[] = {"--build-id",
                                        "--eh-frame-hdr",
                                        "--as-needed",
                                        "--no-as-needed",
                                        "--push-state",
                                        "--pop-state",
                                        "-pie",
                                        "-static",
                                        "-no-pie",
                                        "--start-group",
                                        "--end-group",
                                        "--no-dynamic-linker",
                                        "-EL",
                                        "-EB",
                                        "-X",
                                        "-ztext",
                                        "--fix-cortex-a53-843419"};
    static const char *const pairs[] = {"-m", "-dynamic-linker", "-z"};

    for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
        if (strcmp(word, alone[i]) == 0)
            return 1;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (strcmp(word, pairs[i]) == 0)
            return 2;
    return starts(word, "--hash-style=") || starts(word, "-L") || starts(word, "-l") ||
           (word[0] == '/' && !starts(word, "/tmp/") && (ends(word, ".o") || ends(word, ".a")));
}

static const char *real_folder(const struct reader *r, const char *word)
{
    for (size_t i = 0; i < r->folder_count; i++)
        if (strcmp(r->folders[i].word, word) == 0)
            return r->folders[i].real;
    return NULL;
}

/* Is the folder of this -L, by another name, that of an earlier one?  gold lists each. */
static int is_searched(const struct reader *r, const char *const *word)
{
    const char *real = real_folder(r, *word);

    for (const char *const *w = r->words + 1; real != NULL && w < word; w++) {
        const char *before = starts(*w, "-L") ? real_folder(r, *w) : NULL;

        if (before != NULL && strcmp(before, real) == 0)
            return 1;
    }
    return 0;
}

/* ld warns of executable stacks by itself.  gold lists the folders that it would search for libraries, its
 * own ones after those that it is told; without these it finds the same, or nothing, and the driver links.
 * Whole files it reads into memory, libc's and libm's once more to have them aligned. */
static void put_gold(struct reader *r, struct script *s)
{
    static const char *const words[] = {"--warn-execstack", "-nostdlib", "--no-map-whole-files"};

    put_word(s, r->gold);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        put_word(s, words[i]);
}

/* collect2's words are ld's, but for the plugin's. */
static int put_linker(struct reader *r, struct script *s)
{
    int gold = is_program(r->gold), outputs = 0, objects = 0;

    if (!ends(r->words[0], "/collect2"))
        return refuse(r, "the third step is not collect2", r->words[0]);
    if (gold)
        put_gold(r, s);
    else
        put_word(s, r->ld);
    for (const char *const *w = r->words + 1; *w != NULL; w++) {
        int known = linker_word(*w);

        if (strcmp(*w, "-plugin") == 0 && w[1] != NULL) {
            w++;
        } else if (starts(*w, "-plugin-opt=") ||
                   (gold && (strcmp(*w, "-fuse-ld=gold") == 0 || is_searched(r, w)))) {
            continue;
        } else if (strcmp(*w, "-o") == 0 && w[1] != NULL && strcmp(w[1], "main") == 0) {
            put_word(s, *w++);
            put_word(s, *w);
            outputs++;
        } else if (strcmp(*w, r->object) == 0) {
            put_word(s, OBJECT);
            objects++;
        } else if (known == 0 || (known == 2 && w[1] == NULL)) {
            return refuse(r, "the linker gets a word that is not expected", *w);
        } else {
            put_word(s, *w);
            if (known == 2)
                put_word(s, *++w);
        }
    }
    return outputs == 1 && objects == 1 ? 0 : refuse(r, "the linker does not make main of one object", "");
}

/* The driver's words; `source` in the place of main.c. */
static int put_driver(struct reader *r, struct script *s, const char *const *driver, const char *source)
{
    int sources = 0;

    put(s, "exec");
    for (; *driver != NULL; driver++) {
        if (strchr(*driver, '\'') != NULL || starts(*driver, "-x"))
            return refuse(r, "the driver gets a word that is not expected", *driver);
        sources += strcmp(*driver, "main.c") == 0;
        put_word(s, strcmp(*driver, "main.c") == 0 ? source : *driver);
    }
    return sources == 1 ? 0 : refuse(r, "the driver does not get one source", "");
}

/* /tmp is the cell's own and empty: s has cc1's exit code if it failed, a and l what as and the linker say.
 * Descriptor 3 is where words go meanwhile, because the shell has some of its own when a program is killed.
 */
static int put_steps(struct reader *r, struct script *s)
{
    s->in_steps = 1;
    put(s, "exec 3>&2 2>/dev/null\n{ (exec");
    if (read_words(r, 0) != 0 || put_cc1(r, s) != 0)
        return -1;
    text_put(&s->steps, "\n");
    put(s, " 2>&3 3>&-) || echo $? >/tmp/s; } |");
    if (read_words(r, 1) != 0 || put_as(r, s) != 0)
        return -1;
    text_put(&s->steps, "\n");
    put(s, " 3>&- >/tmp/a 2>&1 && [ ! -e /tmp/s ] && [ ! -s /tmp/a ] &&");
    if (read_words(r, 2) != 0 || put_linker(r, s) != 0)
        return -1;
    text_put(&s->steps, "\n");
    put(s, " 3>&- >/tmp/l 2>&1 && [ ! -s /tmp/l ] && exit 0\n"
           "exec 2>&3 3>&-\n");
    s->rest = s->text.len;
    put(s, "rm -f main\n");
    s->in_steps = 0;
    return 0;
}

/* What was not that easy.  cc1 says why it fails, unless it is killed: then the driver does. */
static int put_rest(struct reader *r, struct script *s, const char *const *driver)
{
    const char *name = strrchr(driver[0], '/');

    put(s, "if [ -e /tmp/s ]; then\n"
           "    read -r s </tmp/s\n"
           "    [ \"$s\" -gt 128 ] || exit 1\n"
           "    if [ \"$s\" = 137 ]; then\n"
           "        printf '%s: fatal error: Killed signal terminated program cc1\\ncompilation "
           "terminated.\\n'");
    put_word(s, name == NULL ? driver[0] : name + 1);
    put(s, " >&2\n"
           "        exit 1\n"
           "    fi\n"
           "elif [ -e /tmp/l ]; then\n    ");
    if (put_driver(r, s, driver, OBJECT) != 0)
        return -1;
    put(s, "\nfi\n");
    if (put_driver(r, s, driver, "main.c") != 0)
        return -1;
    put(s, " -w\n"); /* warnings were given */
    return 0;
}

static char *copy_of(const char *bytes, size_t len)
{
    char *text = malloc(len + 1);

    if (text != NULL) {
        memcpy(text, bytes, len);
        text[len] = '\0';
    }
    return text;
}

static int learn(struct reader *r, struct script *s, const char *const *driver)
{
    if (read_lines(r) != 0)
        return -1;
    if (!is_program(r->as) || !is_program(r->ld))
        return refuse(r, "as or ld is not found", "");
    if (put_steps(r, s) != 0 || put_rest(r, s, driver) != 0)
        return -1;
    return s->text.full || s->steps.full ? refuse(r, "the steps of the driver are too long", "") : 0;
}

int c_direct_learn(struct execd_bytes probed, const char *const *driver, struct c_direct *ret, char *ret_why,
                   size_t why_size)
{
    struct reader r = {.text = copy_of(probed.ptr, (size_t)probed.len), .why = ret_why, .why_size = why_size};
    struct script *s = calloc(1, sizeof(*s));
    int rc = -1;

    *ret = (struct c_direct){.script = NULL};
    if (r.text == NULL || s == NULL) {
        refuse(&r, "no memory", "");
    } else if (learn(&r, s, driver) == 0) {
        ret->script = copy_of(s->text.bytes, s->text.len);
        if (ret->script != NULL)
            ret->rest = ret->script + s->rest;
        if (is_program(r.gold))
            ret->steps = copy_of(s->steps.bytes, s->steps.len);
        rc = ret->script != NULL ? 0 : refuse(&r, "no memory", "");
    }
    free(r.text);
    free(s);
    return rc;
}

void c_direct_done(struct c_direct *d)
{
    free(d->script);
    free(d->steps);
    *d = (struct c_direct){.script = NULL};
}

/* ---- the source ----------------------------------------------------------------------------- */

static int in_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A word of code, a comment or a string: it is all one here. */
int c_direct_fits(struct execd_bytes source)
{
    static const char *const words[] = {"asm", "__asm", "__asm__", "section", "__section__"};
    uint64_t at = 0;

    while (at < source.len) {
        uint64_t n = 0;

        while (at + n < source.len && in_name(source.ptr[at + n]))
            n++;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (n == strlen(words[i]) && memcmp(source.ptr + at, words[i], (size_t)n) == 0)
                return 0;
        at += n > 0 ? n : 1;
    }
    return 1;
}

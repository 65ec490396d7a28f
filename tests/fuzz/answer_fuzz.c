/* answer_fuzz.c - what a server may answer to execctl: results, languages, problems. */
#include "fuzz.h"
#include "wire_internal.h"

static void take_language(void *arg, int32_t id, const char *name, const char *version)
{
    size_t *count = arg;

    (void)id;
    FUZZ_CHECK(name != NULL && version != NULL && strlen(name) + strlen(version) < SIZE_MAX);
    ++*count;
}

static bool is_json(struct bytes body)
{
    const struct wire_text_rules rules = {.nul_allowed = true, .values_max = SIZE_MAX};
    struct wire_fault fault;

    return wire_text_check(body, &rules, &fault) == 0;
}

static void take_letter(void *arg, const struct wire_letter_line *l)
{
    size_t *count = arg;

    FUZZ_CHECK(uuid_valid(l->token) && memchr(l->ended_at, '\0', sizeof(l->ended_at)) != NULL);
    ++*count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size);
    struct bytes body = {copy, size};
    struct wire_answer answer = {0};
    struct err err = {0};
    CLEAN_BUF struct buf line = {0};
    uint64_t all;
    size_t count = 0;

    if (wire_answer_read(body, &answer, &err) == 0) {
        FUZZ_CHECK(is_json(body) && answer.status < JOB_STATUS_COUNT);
        FUZZ_CHECK(memchr(answer.token, '\0', sizeof(answer.token)) != NULL);
        FUZZ_CHECK(memchr(answer.message, '\0', sizeof(answer.message)) != NULL);
        wire_answer_done(&answer);
    } else {
        FUZZ_CHECK(err.code < 0 && err.text[0] != '\0');
    }
    err = (struct err){0};
    if (wire_languages_read(body, take_language, &count, &err) == 0)
        FUZZ_CHECK(is_json(body));
    else
        FUZZ_CHECK(err.code < 0 && err.text[0] != '\0');
    err = (struct err){0};
    if (wire_letters_read(body, take_letter, &count, &all, &err) == 0)
        FUZZ_CHECK(is_json(body));
    else
        FUZZ_CHECK(err.code < 0 && err.text[0] != '\0');
    if (wire_problem_text(body, &line) == 0)
        FUZZ_CHECK(line.len == 0 || memchr(line.data, '\n', line.len) == NULL);
    free(copy);
    return 0;
}

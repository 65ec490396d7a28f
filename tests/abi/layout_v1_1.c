/* layout_v1_1.c - what ABI 1.1 appended to 1.0, where it was released. */
#include <execd/plugin.h>

_Static_assert(EXECD_ABI_MAJOR == 1 && EXECD_ABI_MINOR >= 1, "1.1 was released");
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(offsetof(struct execd_submission, cpu_millis) == 104, "execd_submission.cpu_millis moved");
_Static_assert(sizeof(struct execd_submission) >= 112, "execd_submission shrank");
#endif

/* An object file needs something in it. */
extern const int layout_v1_1_holds;
const int layout_v1_1_holds = 1;

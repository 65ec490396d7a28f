/* layout_v1_3.c - what ABI 1.3 appended to 1.2, where it was released. */
#include <execd/plugin.h>

_Static_assert(EXECD_ABI_MAJOR == 1 && EXECD_ABI_MINOR >= 3, "1.3 was released");
#if UINTPTR_MAX == UINT64_MAX
#define AT(s, m, n) _Static_assert(offsetof(struct s, m) == (n), #s "." #m " moved")
#define SIZE(s, n) _Static_assert(sizeof(struct s) >= (n), #s " shrank")

AT(execd_http_request, ca_pem, 72);
AT(execd_http_request, cert_pem, 88);
AT(execd_http_request, key_pem, 104);
AT(execd_http_request, piece, 120);
SIZE(execd_http_request, 128);

AT(execd_host, http_retry_after_s, 128);
SIZE(execd_host, 136);

AT(execd_change, within_ms, 24);
SIZE(execd_change, 32);

AT(execd_scaler_ops, rank, 64);
SIZE(execd_scaler_ops, 72);

#endif
_Static_assert(EXECD_HTTP_MAX == 64, "the number of exchanges at once changed");

/* An object file needs something in it. */
extern const int layout_v1_3_holds;
const int layout_v1_3_holds = 1;

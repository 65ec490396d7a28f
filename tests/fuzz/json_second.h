/* json_second.h - another opinion on what is JSON and what is UTF-8. */
#ifndef EXECD_JSON_SECOND_H
#define EXECD_JSON_SECOND_H

#include "base/base.h"

enum json_second { JSON_GOOD, JSON_BAD, JSON_TOO_DEEP };
enum json_second json_second(const void *bytes, size_t len);
bool json_second_utf8(const void *bytes, size_t len);

#endif

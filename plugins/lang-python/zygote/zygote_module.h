/* zygote_module.h - the two halves of the extension module that makes a Python interpreter a zygote. */
#ifndef ZYGOTE_MODULE_H
#define ZYGOTE_MODULE_H

#define Py_LIMITED_API 0x03090000
#include <Python.h>

/* zygote_finish.c: how a job of ours ends. */

/* finish() -> what is to be registered with atexit before anything else is */
PyObject *finish_callback(PyObject *self, PyObject *none);
/* In a fork that is no job: at its end it writes to `fd` how deep it stands (a uintptr_t). */
void finish_reports(int fd);
void finish_expect(uintptr_t depth);

/* zygote_import.c: modules that jobs often want, ready before they ask. */
PyObject *imports_take_over(PyObject *self, PyObject *args);

#endif /* ZYGOTE_MODULE_H */

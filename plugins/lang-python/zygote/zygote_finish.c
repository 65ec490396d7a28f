/* zygote_finish.c - the end of a job that left nothing to be done.
 *
 * An interpreter ends by taking itself apart, object by object.  In a fork that means to copy nearly every
 * page of the zygote, and costs more than a small program itself; nobody sees it, unless an object that the
 * program left has something to say: a __del__, a generator inside of a `finally`, a file with unwritten
 * lines, a weak reference's callback.  So our callback, registered with atexit before any other and therefore
 * the last of them, looks whether there can be such a thing.  If it is sure that there is none, it flushes
 * the streams and ends the process with status 0; in every other case it does nothing, and the interpreter
 * goes on as ever.
 *
 * Only the end of a program that ran to its last line has status 0.  The interpreter ends by itself then, and
 * by a call from deeper down after SystemExit, so how deep the callback stands tells them apart (which a
 * rehearsal finds out); another exception leaves its type in sys. */
#include "zygote_module.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    TYPES = 256,           /* places in the memory of harmless types */
    FAULTS_MANY = 16 << 10 /* a larger program takes itself apart: a list of its objects is no trifle */
};

static const char *const streams[] = {"stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__"};
enum { STREAMS = sizeof(streams) / sizeof(streams[0]) };

static struct {
    PyObject
        *streams[STREAMS]; /* as the interpreter made them; not held: they are flushed when they are freed */
    PyObject *excepthook;  /* likewise */
    PyObject *objects, *threads; /* gc.get_objects, _thread._count */
    PyTypeObject *weak, *proxies[2];
    PyTypeObject *harmless[TYPES];
    uintptr_t depth; /* of the callback, where the interpreter ends by itself; 0: not known */
    int report_fd;   /* of a rehearsal; 0: this is none */
} f;

/* ---- objects with something to say ------------------------------------------------------------ */

static bool is_weak(PyTypeObject *type)
{
    return PyType_IsSubtype(type, f.weak) || PyType_IsSubtype(type, f.proxies[0]) ||
           PyType_IsSubtype(type, f.proxies[1]);
}

/* Do objects of the type end in silence?  No code of the program runs for the answer. */
static bool is_harmless(PyTypeObject *type)
{
    PyTypeObject **place = &f.harmless[((uintptr_t)type >> 4 ^ (uintptr_t)type >> 12) % TYPES];

    if (*place == type)
        return true;
    if (PyType_GetSlot(type, Py_tp_finalize) != NULL || PyType_GetSlot(type, Py_tp_del) != NULL ||
        PyErr_Occurred() || is_weak(type))
        return false;
    *place = type;
    return true;
}

/* A plain weak reference is harmless without a callback, or with that of an abstract class's cache. */
static bool weak_is_harmless(PyObject *reference)
{
    PyObject *callback =
        Py_TYPE(reference) == f.weak ? PyObject_GetAttrString(reference, "__callback__") : NULL;
    PyObject *name = NULL;
    bool harmless = callback == Py_None;

    if (callback != NULL && PyCFunction_Check(callback) &&
        (name = PyObject_GetAttrString(callback, "__name__")) != NULL)
        harmless = PyUnicode_CompareWithASCIIString(name, "_destroy") == 0;
    Py_XDECREF(name);
    Py_XDECREF(callback);
    return harmless;
}

/* What was there before the job is frozen, and not among these. */
static bool all_harmless(void)
{
    PyObject *list = PyObject_CallObject(f.objects, NULL);
    Py_ssize_t count = list == NULL ? 0 : PyList_Size(list);
    bool harmless = list != NULL;

    for (Py_ssize_t i = 0; harmless && i < count; i++) {
        PyObject *object = PyList_GetItem(list, i);

        harmless = (is_harmless(Py_TYPE(object)) || weak_is_harmless(object)) &&
                   (!PyType_Check(object) || is_harmless((PyTypeObject *)object));
    }
    Py_XDECREF(list);
    return harmless;
}

/* ---- the rest of what could be seen ---------------------------------------------------------- */

static bool ended_cleanly(void)
{
    for (size_t i = 0; i < STREAMS; i++)
        if (PySys_GetObject(streams[i]) != f.streams[i])
            return false;
    return PySys_GetObject("last_type") == NULL && PySys_GetObject("last_exc") == NULL &&
           PySys_GetObject("excepthook") == f.excepthook &&
           PyDict_GetItemString(PyImport_GetModuleDict(), "gc") == NULL; /* its callbacks, its statistics */
}

static bool is_alone(void)
{
    PyObject *count = PyObject_CallObject(f.threads, NULL);
    bool alone = count != NULL && PyLong_AsLong(count) == 0;

    Py_XDECREF(count);
    return alone;
}

static bool is_small(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_minflt < FAULTS_MANY;
}

/* A stream that is closed or cannot be flushed is the interpreter's affair: it will see the same. */
static bool flush(PyObject *stream)
{
    PyObject *closed = PyObject_GetAttrString(stream, "closed");
    PyObject *done = closed == Py_False ? PyObject_CallMethod(stream, "flush", NULL) : NULL;
    bool flushed = done != NULL;

    Py_XDECREF(closed);
    Py_XDECREF(done);
    return flushed;
}

/* ---- the callback ------------------------------------------------------------------------------ */

static void report_depth(uintptr_t depth) __attribute__((noreturn));
static void report_depth(uintptr_t depth)
{
    _exit(write(f.report_fd, &depth, sizeof(depth)) == sizeof(depth) ? 0 : 1);
}

static PyObject *at_exit(PyObject *self, PyObject *none)
{
    uintptr_t depth = (uintptr_t)__builtin_frame_address(0);

    (void)self;
    (void)none;
    if (f.report_fd > 0)
        report_depth(depth);
    if (depth == f.depth && ended_cleanly() && is_alone() && is_small() && all_harmless() &&
        flush(f.streams[1]) && flush(f.streams[2]) && fflush(NULL) == 0)
        _exit(0);
    PyErr_Clear();
    Py_RETURN_NONE;
}

void finish_reports(int fd)
{
    f.report_fd = fd;
}

void finish_expect(uintptr_t depth)
{
    f.depth = depth;
}

/* ---- before all jobs ---------------------------------------------------------------------------- */

static PyObject *of_module(const char *module, const char *name)
{
    PyObject *m = PyImport_ImportModule(module);
    PyObject *found = m == NULL ? NULL : PyObject_GetAttrString(m, name);

    Py_XDECREF(m);
    return found;
}

static int prepare(void)
{
    for (size_t i = 0; i < STREAMS; i++)
        f.streams[i] = PySys_GetObject(streams[i]);
    f.excepthook = PySys_GetObject("excepthook");
    Py_XINCREF(f.excepthook);
    f.objects = of_module("gc", "get_objects");
    f.threads = of_module("_thread", "_count");
    f.weak = (PyTypeObject *)of_module("_weakref", "ref");
    f.proxies[0] = (PyTypeObject *)of_module("_weakref", "ProxyType");
    f.proxies[1] = (PyTypeObject *)of_module("_weakref", "CallableProxyType");
    return PyErr_Occurred() ? -1 : 0;
}

PyObject *finish_callback(PyObject *self, PyObject *none)
{
    static PyMethodDef method = {"finish", at_exit, METH_NOARGS, NULL};

    (void)self;
    (void)none;
    return prepare() == 0 ? PyCFunction_New(&method, NULL) : NULL;
}

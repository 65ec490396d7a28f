/* zygote_module.c - the extension module of a Python interpreter that is to be a zygote.
 *
 * The interpreter was started as a job is, `python3 main.py`.  Its own start is over when it looks whether
 * main.py is an archive or a folder that can be run, by asking the functions in sys.path_hooks.  The last of
 * them is ours (usercustomize.py put it there): it serves, and in each job it takes itself out of the list
 * and declines.  So the interpreter goes on to the job's main.py by itself, and no frame, thread or module of
 * ours is below or beside the program.
 *
 * It uses the stable ABI: one file serves every Python 3 from 3.9 on. */
#include "zygote_module.h"

#include <execd/zygote.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ZIP_TAIL_MAX = 22 + 65535 }; /* an archive's last record, with the longest comment */

extern char **environ;

static struct {
    PyObject *freeze;       /* gc.freeze */
    PyObject *argv, *hooks; /* lists of sys */
    PyObject *orig_argv;    /* likewise; NULL before 3.10 */
    PyObject *environment;  /* the dict of os.environ */
    PyObject *path;         /* of main.py */
    char **environ;         /* what `environment` was made from */
} z;

/* ---- becoming a job ---------------------------------------------------------------------------- */

/* The C library takes the size of threads' stacks from RLIMIT_STACK once, when a program begins. */
static void renew_thread_stacks(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 2u << 20;
    size_t least = (size_t)sysconf(_SC_THREAD_STACK_MIN);
    pthread_attr_t attr;
    struct rlimit r;

    if (getrlimit(RLIMIT_STACK, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
        size = r.rlim_cur < least ? least : (size_t)r.rlim_cur;
    if (pthread_attr_init(&attr) != 0)
        return;
    if (pthread_attr_setstacksize(&attr, (size + page - 1) / page * page) == 0)
        pthread_setattr_default_np(&attr);
    pthread_attr_destroy(&attr);
}

/* Appends what follows the step's own words, "python3 main.py". */
static int append_arguments(PyObject *list, char *const *argv, int argc)
{
    int rc = 0;

    for (int i = 2; i < argc && rc == 0; i++) {
        PyObject *word = PyUnicode_DecodeFSDefault(argv[i]);

        rc = word == NULL ? -1 : PyList_Append(list, word);
        Py_XDECREF(word);
    }
    return rc;
}

static bool same_words(char *const *a, char *const *b)
{
    for (; *a != NULL && *b != NULL; a++, b++)
        if (strcmp(*a, *b) != 0)
            return false;
    return *a == *b;
}

static int renew_environment(char *const *env)
{
    int rc = 0;

    PyDict_Clear(z.environment);
    for (; *env != NULL && rc == 0; env++) {
        const char *value = strchr(*env, '=');
        PyObject *k = value == NULL ? NULL : PyBytes_FromStringAndSize(*env, value - *env);
        PyObject *v = k == NULL ? NULL : PyBytes_FromString(value + 1);

        if (value != NULL)
            rc = v == NULL ? -1 : PyDict_SetItem(z.environment, k, v);
        Py_XDECREF(k);
        Py_XDECREF(v);
    }
    return rc;
}

static int become(const struct execd_zygote_job *job)
{
    Py_ssize_t last = PyList_Size(z.hooks) - 1;

    renew_thread_stacks();
    if (!same_words(job->env, z.environ) && renew_environment(job->env) != 0)
        return -1;
    if (append_arguments(z.argv, job->argv, job->argc) != 0 ||
        (z.orig_argv != NULL && append_arguments(z.orig_argv, job->argv, job->argc) != 0))
        return -1;
    return PyList_SetSlice(z.hooks, last, last + 1, NULL);
}

/* ---- main.py that is an archive ------------------------------------------------------------------- */

static bool is_archive(void)
{
    static char tail[ZIP_TAIL_MAX];
    int fd = open("main.py", O_RDONLY | O_CLOEXEC);
    struct stat st;
    ssize_t n = 0;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0)
        n = pread(fd, tail, sizeof(tail), st.st_size > ZIP_TAIL_MAX ? st.st_size - ZIP_TAIL_MAX : 0);
    close(fd);
    return n > 0 && memmem(tail, (size_t)n, "PK\005\006", 4) != NULL;
}

/* The other functions saw the zygote's main.py. */
static PyObject *ask_again(void)
{
    PyObject *importer = NULL;

    for (Py_ssize_t i = 0; importer == NULL && i < PyList_Size(z.hooks); i++) {
        PyErr_Clear();
        importer = PyObject_CallFunctionObjArgs(PyList_GetItem(z.hooks, i), z.path, NULL);
        if (importer == NULL && !PyErr_ExceptionMatches(PyExc_ImportError))
            break;
    }
    return importer;
}

/* ---- serving --------------------------------------------------------------------------------------- */

/* A fork goes on to the zygote's own main.py and tells at its end how deep that is (zygote_finish.c). Returns
 * in it with true. */
static bool rehearse(void)
{
    uintptr_t depth;
    pid_t pid;
    int p[2];

    if (pipe(p) != 0)
        return false;
    PyOS_BeforeFork();
    pid = fork();
    if (pid == 0) {
        close(p[0]);
        finish_reports(p[1]);
        PyOS_AfterFork_Child();
        return true;
    }
    PyOS_AfterFork_Parent();
    close(p[1]);
    if (pid > 0 && read(p[0], &depth, sizeof(depth)) == sizeof(depth))
        finish_expect(depth);
    close(p[0]);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return false;
}

/* The collector passes by what is there before a job, but for what the program's own objects will hang on:
 * else it would take those for needed from elsewhere. */
static int freeze(void)
{
    PyObject *main_module = PyImport_AddModule("__main__"), *frozen;
    PyObject *names = main_module == NULL ? NULL : PyModule_GetDict(main_module);

    if (names == NULL)
        return -1;
    PyObject_GC_UnTrack(main_module);
    PyObject_GC_UnTrack(names);
    frozen = PyObject_CallObject(z.freeze, NULL);
    PyObject_GC_Track(names);
    PyObject_GC_Track(main_module);
    Py_XDECREF(frozen);
    return frozen == NULL ? -1 : 0;
}

/* Of a fork's first steps the interpreter does those for the first time that it can do without one. */
static void exercise(void)
{
    PyOS_BeforeFork();
    PyOS_AfterFork_Child();
}

static PyObject *decline(void)
{
    PyErr_SetNone(PyExc_ImportError);
    return NULL;
}

/* What the interpreter calls last before it runs main.py. */
static PyObject *hook(PyObject *self, PyObject *path)
{
    struct execd_zygote_job job = {.env = environ};
    int rc;

    (void)self;
    if (PyObject_RichCompareBool(path, z.path, Py_EQ) != 1)
        return decline();
    exercise();
    if (freeze() != 0)
        return NULL;
    if (rehearse())
        return become(&job) == 0 ? decline() : NULL;
    PyOS_BeforeFork();
    rc = execd_zygote_serve(&job);
    if (rc < 0)
        _exit(rc == -ECANCELED ? 0 : 1);
    PyOS_AfterFork_Child();
    if (become(&job) != 0)
        return NULL;
    return is_archive() ? ask_again() : decline();
}

/* ---- the module -------------------------------------------------------------------------------------- */

static PyObject *sys_list(const char *name)
{
    PyObject *list = PySys_GetObject(name);

    Py_XINCREF(list);
    return list;
}

/* hook(path of main.py, dict of os.environ, gc.freeze) -> the last of sys.path_hooks */
static PyObject *make_hook(PyObject *self, PyObject *args)
{
    static PyMethodDef method = {"hook", hook, METH_O, NULL};

    (void)self;
    if (!PyArg_ParseTuple(args, "OO!O", &z.path, &PyDict_Type, &z.environment, &z.freeze))
        return NULL;
    Py_INCREF(args); /* and all of them with it */
    z.environ = environ;
    z.argv = sys_list("argv");
    z.orig_argv = sys_list("orig_argv");
    z.hooks = sys_list("path_hooks");
    return PyCFunction_New(&method, NULL);
}

static PyMethodDef methods[] = {
    {"hook", make_hook, METH_VARARGS, NULL},
    {"finish", finish_callback, METH_NOARGS, NULL},
    {"imports", imports_take_over, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "_execd_zygote", .m_size = -1,
                                        .m_methods = methods};

PyMODINIT_FUNC PyInit__execd_zygote(void); /* the one symbol that is exported */
PyMODINIT_FUNC PyInit__execd_zygote(void)
{
    return PyModule_Create(&definition);
}
